import { machineOf, ORIGIN_PARTS, type OriginPart, partOf } from "./questions/test_origins.ts";
import type { RunCoverage } from "./run_coverage.ts";

/** Through which origins the tests of a run hit each point: a bit for each origin and point. */
export class PointOrigins {
  /** The origins of all tests, by part, and within one in the order in which tests had them first. */
  readonly origins: readonly number[];
  readonly #words: number;
  readonly #bits: Uint32Array;
  /** Scratch: the bits of some points together. */
  readonly #any: Uint32Array;

  constructor(coverage: RunCoverage) {
    const { tests, pointTests } = coverage;
    const machine = machineOf(coverage);
    const parts = new Map<number, OriginPart>();
    for (const { origins = [], record } of tests) {
      const threadsShared = record.tree?.threadsShared === true;
      for (const { origin } of origins) {
        if (!parts.has(origin)) parts.set(origin, partOf(origin, { machine, threadsShared }));
      }
    }
    const rank = (origin: number): number => ORIGIN_PARTS.indexOf(parts.get(origin)!);
    this.origins = [...parts.keys()].sort((a, b) => rank(a) - rank(b));
    const place = new Map(this.origins.map((origin, at) => [origin, at]));
    this.#words = (this.origins.length + 31) >>> 5;
    this.#any = new Uint32Array(this.#words);
    this.#bits = new Uint32Array(pointTests.length * this.#words);
    for (const { origins = [] } of tests) {
      for (const { origin, points } of origins) {
        const at = place.get(origin)!;
        const word = at >>> 5, bit = 1 << (at & 31);
        for (let i = 0; i < points.length; i++) {
          this.#bits[points[i] * this.#words + word] |= bit;
        }
      }
    }
  }

  /** Indexes into `origins` of those through which any of `points` was hit, ascending. */
  of(points: Uint32Array): number[] {
    const words = this.#words, bits = this.#bits;
    const any = this.#any.fill(0);
    for (let i = 0; i < points.length; i++) {
      for (let word = 0, at = points[i] * words; word < words; word++) any[word] |= bits[at++];
    }
    const found: number[] = [];
    for (let word = 0; word < words; word++) {
      for (let rest = any[word]; rest !== 0; rest &= rest - 1) {
        found.push(32 * word + 31 - Math.clz32(rest & -rest));
      }
    }
    return found;
  }
}
