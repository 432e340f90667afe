import type { Address } from "../base/address.ts";
import { indexOfSorted } from "../base/search.ts";
import { pointArchitecture } from "../points/arch.ts";
import { codeSections } from "../points/scan.ts";
import { type AddressColumns, framesOfAddresses, framesOfManyAddresses } from "./address_frames.ts";
import type { Frame, ImageIndex } from "./image_index.ts";
import { cachedImageIndex, loadImageIndex, type LoadIndexOptions } from "./load_index.ts";
import { OpenImage } from "./open_image.ts";
import { type FrameColumns, framesAt } from "./point_frames.ts";

/** Why a raw PC has no frames. */
export type SymbolizeReason = "outside-image" | "no-debug-information" | "module-unknown";

/** What each {@linkcode SymbolizeReason} means, for people. */
export const SYMBOLIZE_REASON_TEXT: Readonly<Record<SymbolizeReason, string>> = {
  "outside-image": "outside the code of every known image",
  "no-debug-information":
    "the image has no debug information: use one built with CONFIG_DEBUG_INFO",
  "module-unknown": "in a module whose file was not found: install its debug package",
};

/** With more PCs than this a whole index is built, and kept for the next time. */
const WORTH_AN_INDEX = 20_000;

/** Where raw PCs are: by position, each either has frames or a reason why not. */
export class SymbolizedPcs {
  readonly pcs: ArrayLike<Address>;
  /** Column sets that hold frames, and which of them (or -1), and where in it, each PC's are. */
  readonly tables: readonly FrameColumns[];
  readonly table: Int8Array;
  readonly at: Uint32Array;
  readonly #reason: SymbolizeReason;

  constructor(
    pcs: ArrayLike<Address>,
    tables: readonly FrameColumns[],
    table: Int8Array,
    at: Uint32Array,
    reason: SymbolizeReason = "outside-image",
  ) {
    this.pcs = pcs;
    this.tables = tables;
    this.table = table;
    this.at = at;
    this.#reason = reason;
  }

  get length(): number {
    return this.pcs.length;
  }

  /** Frames of PC `index`, innermost first; `undefined` where there is a reason instead. */
  frames(index: number): Frame[] | undefined {
    const table = this.table[index];
    return table < 0 ? undefined : framesAt(this.tables[table], this.at[index]);
  }

  /** Why PC `index` has no frames; `undefined` where it has some. */
  reason(index: number): SymbolizeReason | undefined {
    return this.table[index] < 0 ? this.#reason : undefined;
  }
}

/**
 * Finds the source of raw PCs of one image: return addresses, so what is looked up is the call before each.
 *
 * Points come from the index where it is in the cache; other PCs, and without a cache few PCs, from the units that
 * they lie in. Many PCs build the index.
 *
 * @example
 * ```ts ignore
 * using symbolizer = new ImageSymbolizer("/usr/lib/debug/boot/vmlinux-6.12");
 * const [frames] = (await symbolizer.symbolize([0xffffffff81234567])).frames(0) ?? [];
 * ```
 */
export class ImageSymbolizer implements Disposable {
  readonly image: OpenImage;
  readonly #options: LoadIndexOptions;
  #index: ImageIndex | undefined;

  /** @throws {FormatError} where the file is not a kernel or module */
  constructor(path: string, options: LoadIndexOptions = {}) {
    this.image = new OpenImage(path);
    this.#options = options;
  }

  /** Build id of the image; empty where it has none. */
  get buildId(): string {
    return this.image.elf.buildId;
  }

  /** The whole index: from the cache, or built and stored. */
  async index(): Promise<ImageIndex> {
    return this.#index ??= await loadImageIndex(this.image.path, this.#options);
  }

  /**
   * @param pcs in any order
   * @param base raw PC at which the image's `.text` begins; by default where it was linked
   */
  async symbolize(pcs: ArrayLike<Address>, base?: Address): Promise<SymbolizedPcs> {
    this.#index ??= cachedImageIndex(this.image, this.#options);
    if (this.#index === undefined && pcs.length > WORTH_AN_INDEX) await this.index();
    const plan = this.#plan(pcs, base);
    const lazy = plan.rest.length === 0
      ? undefined
      : await framesOfManyAddresses(this.image, plan.rest);
    return this.#place(plan, lazy);
  }

  /** As {@linkcode symbolize}, in this thread and without building an index. */
  symbolizeSync(pcs: ArrayLike<Address>, base?: Address): SymbolizedPcs {
    this.#index ??= cachedImageIndex(this.image, this.#options);
    const plan = this.#plan(pcs, base);
    const lazy = plan.rest.length === 0 ? undefined : framesOfAddresses(this.image, plan.rest);
    return this.#place(plan, lazy);
  }

  [Symbol.dispose](): void {
    this.image[Symbol.dispose]();
  }

  /** Finds what the index knows, and the addresses that have to be looked up. */
  #plan(pcs: ArrayLike<Address>, base: Address | undefined): SymbolizePlan {
    const { elf } = this.image;
    const { callLength } = pointArchitecture(elf.header.machine);
    const text = elf.sections.find((section) => section.name === ".text")?.address ?? 0;
    const shift = (base === undefined ? 0 : base - text) + callLength;
    const code = codeSections(elf).map(({ address, size }) => [address, address + size]);
    const table = new Int8Array(pcs.length).fill(-1);
    const at = new Uint32Array(pcs.length);
    const index = this.#index;
    const rest: number[] = [];
    // PCs mostly ascend, so the next point is looked for behind the last.
    let point = 0;
    for (let place = 0; place < pcs.length; place++) {
      const address = pcs[place] - shift;
      if (index !== undefined) {
        const offset = address - index.base;
        if (index.everyOffset[point] !== offset) {
          point = index.everyOffset[point + 1] === offset
            ? point + 1
            : indexOfSorted(index.everyOffset, offset);
        }
        if (point >= 0) {
          table[place] = 0;
          at[place] = point;
          continue;
        }
        point = 0;
      }
      if (code.some(([low, high]) => address >= low && address < high)) {
        table[place] = 1;
        rest.push(address);
      }
    }
    const addresses = Float64Array.from(rest).sort();
    return {
      pcs,
      table,
      at,
      shift,
      rest: addresses.filter((value, i) => i === 0 || value !== addresses[i - 1]),
    };
  }

  #place(plan: SymbolizePlan, lazy: AddressColumns | undefined): SymbolizedPcs {
    const { pcs, table, at, shift, rest } = plan;
    const tables: FrameColumns[] = [];
    if (this.#index !== undefined) tables.push(this.#index);
    const lazyTable = tables.length;
    if (lazy !== undefined) tables.push(lazy);
    for (let place = 0; place < pcs.length; place++) {
      if (table[place] !== 1) continue;
      table[place] = lazyTable;
      at[place] = indexOfSorted(rest, pcs[place] - shift);
    }
    return new SymbolizedPcs(pcs, tables, table, at);
  }
}

interface SymbolizePlan {
  readonly pcs: ArrayLike<Address>;
  /** 0: in the index; 1: in `rest`; -1: in no code. */
  readonly table: Int8Array;
  readonly at: Uint32Array;
  readonly shift: number;
  /** Distinct addresses to look up, ascending. */
  readonly rest: Float64Array;
}
