import type { Address } from "../../base/address.ts";
import type { LoadedModule } from "../../kernel/loaded_modules.ts";
import { imageAddress, imageSections, ModuleImages } from "../../kernel/module_images.ts";
import { type ModuleCode, ModuleMap } from "../../kernel/module_map.ts";
import type { LoadIndexOptions } from "../index/cached_index.ts";
import { ImageSymbolizer } from "./image_symbolizer.ts";
import { kallsymsNames } from "../../kernel/kallsyms.ts";
import type { FrameColumns } from "./point_frames.ts";
import type { RunningKernelParts } from "../../kernel/running_kernel_parts.ts";
import { symbolAt } from "../../elf/symbol_names.ts";
import { SymbolizedPcs, type SymbolizeReason } from "./symbolized_pcs.ts";

/** What is known of a kernel beside its image, and where indexes are kept. */
export type KernelParts = LoadIndexOptions & RunningKernelParts;

const NO_MODULES = new ModuleMap([]);

/** Finds the source of raw PCs of a kernel and its modules. */
export class KernelSymbolizer implements Disposable {
  /** The kernel's own image; `undefined` where there is none. */
  readonly kernel: ImageSymbolizer | undefined;
  readonly #parts: KernelParts;
  readonly #modules = new ModuleImages((module) => this.#open(module));
  readonly #missing = new Map<string, string>();

  /**
   * @param vmlinux The kernel's image; without it, only modules and `kallsyms` are searched.
   * @throws {FormatError} Where `vmlinux` is not a kernel's image.
   */
  constructor(vmlinux: string | undefined, parts: KernelParts = {}) {
    this.kernel = vmlinux === undefined ? undefined : new ImageSymbolizer(vmlinux, parts);
    this.#parts = parts;
  }

  /** Modules that PCs were in and of which there is no image, with why. */
  get missing(): ReadonlyMap<string, string> {
    return this.#missing;
  }

  /** @param pcs In any order. */
  async symbolize(pcs: ArrayLike<Address>): Promise<SymbolizedPcs> {
    const first = await this.kernel?.symbolize(pcs);
    const tables = [...first?.tables ?? []];
    const table = first?.table ?? new Int16Array(pcs.length).fill(-1);
    const at = first?.at ?? new Uint32Array(pcs.length);
    const reasons = new Map<number, SymbolizeReason>();
    const rest: number[] = [];
    const byModule = new Map<LoadedModule, { place: number; code: ModuleCode }[]>();
    const { modules = NO_MODULES } = this.#parts;
    for (let place = 0; place < pcs.length; place++) {
      if (table[place] >= 0) continue;
      const code = modules.find(pcs[place]);
      if (code === undefined) rest.push(place);
      else if (byModule.get(code.module)?.push({ place, code }) === undefined) {
        byModule.set(code.module, [{ place, code }]);
      }
    }
    for (const [module, entries] of byModule) {
      const symbolizer = this.#modules.of(module);
      if (symbolizer === undefined) {
        for (const { place } of entries) {
          reasons.set(place, "module-unknown");
          rest.push(place);
        }
        continue;
      }
      const sections = imageSections(symbolizer.image.elf.sections);
      const found = await symbolizer.symbolize(
        entries.map(({ place, code }) => imageAddress(pcs[place], code, sections) ?? NaN),
      );
      entries.forEach(({ place }, index) => {
        if (found.table[index] < 0) return rest.push(place);
        table[place] = tables.length + found.table[index];
        at[place] = found.at[index];
      });
      tables.push(...found.tables);
    }
    if (rest.length > 0) this.#useKallsyms(pcs, rest, tables, table, at);
    return new SymbolizedPcs(pcs, tables, table, at, reasons);
  }

  [Symbol.dispose](): void {
    this.kernel?.[Symbol.dispose]();
    for (const symbolizer of this.#modules.take()) symbolizer[Symbol.dispose]();
  }

  #open(module: LoadedModule): ImageSymbolizer | undefined {
    const image = this.#parts.moduleImage?.(module) ?? { missing: "its file is unknown" };
    if ("path" in image) return new ImageSymbolizer(image.path, this.#parts);
    this.#missing.set(module.name, image.missing);
    return undefined;
  }

  /** Names what is in no image by the kernel's own symbols: a function, without file and line. */
  #useKallsyms(
    pcs: ArrayLike<Address>,
    places: readonly number[],
    tables: FrameColumns[],
    table: Int16Array,
    at: Uint32Array,
  ): void {
    const kallsyms = this.#parts.kallsyms?.();
    if (kallsyms === undefined || kallsyms.symbols.address.length === 0) return;
    const base = kallsyms.symbols.address[0] - kallsyms.offset;
    const symbols = kallsymsNames(kallsyms.symbols, kallsyms.offset, base);
    const { length } = kallsyms.symbols.address;
    const last = symbols.address[length - 1];
    // A return address, so the byte before it is in the call. What lies after all symbols is in none of them.
    const callOffset = (place: number) => pcs[place] - 1 - base;
    const known = places.filter((place) => {
      const offset = callOffset(place);
      return offset - last < LARGEST_FUNCTION && symbolAt(symbols, offset) >= 0;
    });
    known.forEach((place, index) => {
      table[place] = tables.length;
      at[place] = index;
    });
    tables.push(symbolColumns(Int32Array.from(known, callOffset), symbols));
  }
}

/** `/proc/kallsyms` does not say where the last symbol ends. */
const LARGEST_FUNCTION = 1 << 16;

/** Columns of addresses of which only symbols are known. */
function symbolColumns(
  allPointOffsets: Int32Array,
  symbols: FrameColumns["symbols"],
): FrameColumns {
  const none = new Uint32Array(0);
  return {
    allPointOffsets,
    allFrameStart: new Uint32Array(allPointOffsets.length + 1),
    frameFunction: none,
    framePath: none,
    frameLine: none,
    functionName: [],
    linkageName: new Map(),
    files: [],
    paths: [],
    pathFile: none,
    symbols,
  };
}
