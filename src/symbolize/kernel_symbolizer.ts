import type { Address } from "../base/address.ts";
import type { LoadIndexOptions } from "./cached_index.ts";
import { ImageSymbolizer } from "./image_symbolizer.ts";
import { type Kallsyms, kallsymsNames } from "./kallsyms.ts";
import { type LoadedModule, moduleOfPc } from "./loaded_modules.ts";
import type { FrameColumns } from "./point_frames.ts";
import { symbolAt } from "./symbol_names.ts";
import { SymbolizedPcs, type SymbolizeReason } from "./symbolized_pcs.ts";

/** What is known of a kernel beside its image. */
export interface KernelParts extends LoadIndexOptions {
  /** Its modules, at all places that they had during the run. */
  readonly modules?: readonly LoadedModule[];
  /** Finds the file of a module; by default none is found. */
  readonly moduleImage?: (module: LoadedModule) => string | undefined;
  /** The running kernel's own symbols, for PCs of which there is no image; and by how much that kernel was moved. */
  readonly kallsyms?: { readonly symbols: Kallsyms; readonly offset: number };
}

/** Finds the source of raw PCs of a kernel and its modules. */
export class KernelSymbolizer implements Disposable {
  readonly kernel: ImageSymbolizer;
  readonly #parts: KernelParts;
  readonly #modules = new Map<string, ImageSymbolizer | undefined>();

  /** @throws {FormatError} where `vmlinux` is not a kernel's image */
  constructor(vmlinux: string, parts: KernelParts = {}) {
    this.kernel = new ImageSymbolizer(vmlinux, parts);
    this.#parts = parts;
  }

  /** @param pcs in any order */
  async symbolize(pcs: ArrayLike<Address>): Promise<SymbolizedPcs> {
    const first = await this.kernel.symbolize(pcs);
    const tables = [...first.tables], { table, at } = first;
    const reasons = new Map<number, SymbolizeReason>();
    const rest: number[] = [];
    const byModule = new Map<LoadedModule, number[]>();
    for (let place = 0; place < pcs.length; place++) {
      if (table[place] >= 0) continue;
      const module = moduleOfPc(this.#parts.modules ?? [], pcs[place]);
      if (module === undefined) rest.push(place);
      else if (byModule.get(module)?.push(place) === undefined) byModule.set(module, [place]);
    }
    for (const [module, places] of byModule) {
      const symbolizer = this.#module(module);
      if (symbolizer === undefined) {
        for (const place of places) reasons.set(place, "module-unknown");
        rest.push(...places);
        continue;
      }
      const found = await symbolizer.symbolize(places.map((place) => pcs[place]), module.textStart);
      places.forEach((place, index) => {
        if (found.table[index] < 0) return rest.push(place);
        table[place] = tables.length + found.table[index];
        at[place] = found.at[index];
      });
      tables.push(...found.tables);
    }
    this.#useKallsyms(pcs, rest, tables, table, at);
    return new SymbolizedPcs(pcs, tables, table, at, reasons);
  }

  [Symbol.dispose](): void {
    this.kernel[Symbol.dispose]();
    for (const symbolizer of this.#modules.values()) symbolizer?.[Symbol.dispose]();
    this.#modules.clear();
  }

  #module(module: LoadedModule): ImageSymbolizer | undefined {
    const key = `${module.name} ${module.buildId}`;
    if (!this.#modules.has(key)) {
      const path = this.#parts.moduleImage?.(module);
      this.#modules.set(
        key,
        path === undefined ? undefined : new ImageSymbolizer(path, this.#parts),
      );
    }
    return this.#modules.get(key);
  }

  /** Names what no image tells by the kernel's own symbols: a function, without file and line. */
  #useKallsyms(
    pcs: ArrayLike<Address>,
    places: readonly number[],
    tables: FrameColumns[],
    table: Int16Array,
    at: Uint32Array,
  ): void {
    const { kallsyms } = this.#parts;
    if (kallsyms === undefined || places.length === 0 || kallsyms.symbols.address.length === 0) {
      return;
    }
    const base = kallsyms.symbols.address[0] - kallsyms.offset;
    const symbols = kallsymsNames(kallsyms.symbols, kallsyms.offset, base);
    const callOffset = (place: number) => pcs[place] - this.kernel.callLength - base;
    const known = places.filter((place) => symbolAt(symbols, callOffset(place)) >= 0);
    known.forEach((place, index) => {
      table[place] = tables.length;
      at[place] = index;
    });
    tables.push(symbolColumns(Int32Array.from(known, callOffset), symbols));
  }
}

/** Columns of addresses of which only symbols are known. */
function symbolColumns(everyOffset: Int32Array, symbols: FrameColumns["symbols"]): FrameColumns {
  const none = new Uint32Array(0);
  return {
    everyOffset,
    everyFrameStart: new Uint32Array(everyOffset.length + 1),
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
