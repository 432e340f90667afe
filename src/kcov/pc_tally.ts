import { addressFromHalves } from "../base/address.ts";
import { type EntryTally, leaveOnce } from "./origin_tally.ts";
import type { RecordedPcs } from "./origin.ts";

/** Gathers entries of collectors where nobody asks for their origins: with as little memory as there is to be. */
export class PcTally implements EntryTally {
  #pcs = new Float64Array(0);
  #entries = 0;

  add(halves: Uint32Array, from: number, to: number): number {
    const before = this.#pcs.subarray(0, this.#entries);
    const pcs = new Float64Array(before.length + to - from);
    pcs.set(before);
    let entries = before.length;
    let read = to;
    for (let word = from; word < to; word++) {
      const low = halves[word * 2], high = halves[word * 2 + 1];
      if (low !== 0 || high !== 0) pcs[entries++] = addressFromHalves(low, high << 16 >> 16);
      else if (read === to) read = word;
    }
    this.#pcs = pcs;
    this.#entries = entries;
    return read;
  }

  /** The distinct PCs, ascending, and empties the tally. */
  take(): RecordedPcs["pcs"] {
    const sorted = this.#pcs.subarray(0, this.#entries).sort();
    this.#pcs = new Float64Array(0);
    this.#entries = 0;
    return sorted.slice(0, leaveOnce(sorted));
  }
}
