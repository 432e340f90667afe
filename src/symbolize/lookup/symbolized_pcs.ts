import type { Address } from "../../base/address.ts";
import type { Frame } from "../index/image_index.ts";
import { type FrameColumns, framesAt } from "./point_frames.ts";

/** Why a raw PC has no frames. */
export type SymbolizeReason = "outside-image" | "module-unknown";

/** What each {@linkcode SymbolizeReason} means, for people. */
export const SYMBOLIZE_REASON_TEXT: Readonly<Record<SymbolizeReason, string>> = {
  "outside-image": "outside the code of every known image",
  "module-unknown": "in a module whose file was not found: install its debug package",
};

/** Where raw PCs are: by position, each either has frames or a reason why not. */
export class SymbolizedPcs {
  readonly pcs: ArrayLike<Address>;
  /** Column sets that hold frames, and which of them (or -1), and where in it, each PC's are. */
  readonly tables: readonly FrameColumns[];
  readonly table: Int16Array;
  readonly at: Uint32Array;
  readonly #reasons: ReadonlyMap<number, SymbolizeReason>;

  /** @param reasons Of PCs without frames that have another reason than being outside all images. */
  constructor(
    pcs: ArrayLike<Address>,
    tables: readonly FrameColumns[],
    table: Int16Array,
    at: Uint32Array,
    reasons: ReadonlyMap<number, SymbolizeReason> = new Map(),
  ) {
    this.pcs = pcs;
    this.tables = tables;
    this.table = table;
    this.at = at;
    this.#reasons = reasons;
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
    return this.table[index] < 0 ? this.#reasons.get(index) ?? "outside-image" : undefined;
  }
}
