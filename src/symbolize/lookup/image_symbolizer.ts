import type { Address } from "../../base/address.ts";
import { indexOfSorted } from "../../base/search.ts";
import { codeSections } from "../../elf/code_sections.ts";
import type { AddressColumns } from "./address_frames.ts";
import { cachedFrames, type LoadIndexOptions } from "../index/cached_index.ts";
import type { ImageIndex } from "../index/image_index.ts";
import type { FrameParts } from "../index/index_columns.ts";
import { OpenImage } from "../../kernel/image/open_image.ts";
import type { FrameColumns } from "./point_frames.ts";
import { SymbolizedPcs } from "./symbolized_pcs.ts";

/**
 * Finds the source of raw PCs of one image: return addresses, so what is looked up is the call before each.
 *
 * Points come from the index where it is in the cache; other PCs, and without a cache all, from the units that they lie
 * in, of which nothing else is read.
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
  #frames: FrameParts | undefined;

  /** @throws {FormatError} Where the file is not a kernel or module. */
  constructor(path: string, options: LoadIndexOptions = {}) {
    this.image = new OpenImage(path);
    this.#options = options;
  }

  /** Build id of the image; empty where it has none. */
  get buildId(): string {
    return this.image.elf.buildId;
  }

  /** Bytes from a call to its return address. */
  get callLength(): number {
    return this.image.elf.header.machine.code.callLength;
  }

  /** The whole index: from the cache, or built and stored. */
  async index(): Promise<ImageIndex> {
    const { loadImageIndex } = await import("../index/load_index.ts");
    return loadImageIndex(this.image.path, this.#options);
  }

  /** @param pcs In any order, of a kernel that runs where it was linked. */
  async symbolize(pcs: ArrayLike<Address>): Promise<SymbolizedPcs> {
    this.#frames ??= cachedFrames(this.image, this.#options);
    const plan = this.#plan(pcs);
    if (plan.rest.length === 0) return this.#place(plan, undefined);
    // Imported on use: where the cache has all, the code that reads debug information is not needed.
    const { framesOfAddresses } = await import("./address_frames.ts");
    return this.#place(plan, framesOfAddresses(this.image, plan.rest));
  }

  [Symbol.dispose](): void {
    this.image[Symbol.dispose]();
  }

  /** Finds what the index knows, and the addresses that have to be looked up. */
  #plan(pcs: ArrayLike<Address>): SymbolizePlan {
    const { elf } = this.image;
    const shift = this.callLength;
    const code = codeSections(elf).map(({ address, size }) => ({
      low: address,
      high: address + size,
    }));
    const count = pcs.length;
    const table = new Int16Array(count);
    const at = new Uint32Array(count);
    const { base: first, allPointOffsets } = this.#frames ??
      { base: 0, allPointOffsets: NO_OFFSETS };
    const hasIndex = allPointOffsets.length > 0;
    let rest = new Float64Array(0), found = 0, ascends = true;
    // PCs mostly ascend, so the next point is looked for behind the last, and the next address in the last section.
    let point = 0, section = NO_RANGE;
    for (let place = 0; place < count; place++) {
      const address = pcs[place] - shift;
      if (hasIndex) {
        const offset = address - first;
        if (allPointOffsets[point] !== offset) {
          point = allPointOffsets[point + 1] === offset
            ? point + 1
            : indexOfSorted(allPointOffsets, offset);
        }
        if (point >= 0) {
          at[place] = point;
          continue;
        }
        point = 0;
      }
      if (!(address >= section.low && address < section.high)) {
        section = rangeOf(code, address);
        if (section === NO_RANGE) {
          table[place] = -1;
          continue;
        }
      }
      if (found === 0) rest = new Float64Array(count);
      else if (address <= rest[found - 1]) ascends = false;
      table[place] = 1;
      at[place] = found;
      rest[found++] = address;
    }
    rest = rest.subarray(0, found);
    return { pcs, table, at, shift, rest: ascends ? rest : distinct(rest.sort()), ascends };
  }

  #place(plan: SymbolizePlan, lazy: AddressColumns | undefined): SymbolizedPcs {
    const { pcs, table, at, shift, rest, ascends } = plan;
    const tables: FrameColumns[] = [];
    if (this.#frames !== undefined) tables.push(this.#frames);
    const lazyTable = tables.length;
    if (lazy !== undefined) tables.push(lazy);
    for (let place = 0; place < pcs.length && rest.length > 0; place++) {
      if (table[place] !== 1) continue;
      table[place] = lazyTable;
      if (!ascends) at[place] = indexOfSorted(rest, pcs[place] - shift);
    }
    return new SymbolizedPcs(pcs, tables, table, at);
  }
}

/** What is known without an index. */
const NO_OFFSETS = new Int32Array(0);

/** Addresses; `high` is behind the last. */
interface AddressRange {
  readonly low: Address;
  readonly high: Address;
}

const NO_RANGE: AddressRange = { low: 0, high: 0 };

function rangeOf(ranges: readonly AddressRange[], address: Address): AddressRange {
  return ranges.find(({ low, high }) => address >= low && address < high) ?? NO_RANGE;
}

interface SymbolizePlan {
  readonly pcs: ArrayLike<Address>;
  /** 0: in the index; 1: in `rest`; -1: in no code. */
  readonly table: Int16Array;
  readonly at: Uint32Array;
  readonly shift: number;
  /** Distinct addresses to look up, ascending. */
  readonly rest: Float64Array;
  /** Whether they come in that order, each once: `at` then has their indexes. */
  readonly ascends: boolean;
}

function distinct(ascending: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  return ascending.filter((value, at) => at === 0 || value !== ascending[at - 1]);
}
