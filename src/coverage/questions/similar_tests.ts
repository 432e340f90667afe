import type { HitSource } from "../hits/hit_source.ts";
import { jaccard } from "../point_sets.ts";
import type { RunCoverage } from "../run_coverage.ts";

/** A test and how much of its coverage it shares with another. */
export interface SimilarTest {
  readonly test: number;
  /** Share of points that both hit of those that either hit, 0 to 1. */
  readonly similarity: number;
}

/** Up to this many tests, every pair is compared. */
const EXACT_TESTS = 600;
/** Length of a MinHash signature: its estimate is within 0.13 nineteen times of twenty. */
const HASHES = 64;
/** Candidates by MinHash that are compared exactly, for each one asked for. */
const CANDIDATES_PER_RESULT = 6;

/**
 * Finds the tests most similar to one. In large runs candidates come from MinHash signatures, so a test may be
 * missed among many alike; the similarities given are always exact.
 */
export class SimilarTests {
  readonly #coverage: RunCoverage;
  readonly #signatures: Int32Array | undefined;

  constructor(coverage: RunCoverage) {
    this.#coverage = coverage;
    const fetches = coverage.hits.source !== undefined;
    if (coverage.tests.length > EXACT_TESTS && !fetches) this.#signatures = signatures(coverage);
  }

  /** The `count` tests most similar to `test`, most similar first; tests with nothing in common left out. */
  of(test: number, count: number): SimilarTest[] {
    const { tests } = this.#coverage;
    const { source } = this.#coverage.hits;
    if (source !== undefined) return this.#fetched(source, test, count);
    const own = tests[test].points.points;
    if (own.length === 0) return [];
    return this.#candidates(test, count)
      .map((other) => ({ test: other, similarity: jaccard(own, tests[other].points.points) }))
      .filter(({ similarity }) => similarity > 0)
      .sort((a, b) => b.similarity - a.similarity || a.test - b.test)
      .slice(0, count);
  }

  /** Of a store, what each test has in common is counted there. */
  #fetched(source: HitSource, test: number, count: number): SimilarTest[] {
    const { tests } = this.#coverage;
    const { size } = tests[test];
    const found: SimilarTest[] = [];
    source.overlapsOf(test)?.forEach((both, other) => {
      if (other === test || both === 0) return;
      found.push({ test: other, similarity: both / (size + tests[other].size - both) });
    });
    return found.sort((a, b) => b.similarity - a.similarity || a.test - b.test).slice(0, count);
  }

  #candidates(test: number, count: number): number[] {
    const total = this.#coverage.tests.length;
    const all = this.#signatures;
    if (all === undefined) {
      return Array.from({ length: total }, (_, t) => t).filter((t) => t !== test);
    }
    const { equal, histogram } = compareSignatures(all, test, total);
    const wanted = count * CANDIDATES_PER_RESULT;
    let least = HASHES;
    for (let above = histogram[least]; least > 1 && above < wanted; above += histogram[least]) {
      least--;
    }
    const found: number[] = [];
    for (let other = 0; other < total; other++) if (equal[other] >= least) found.push(other);
    return found.sort((a, b) => equal[b] - equal[a]).slice(0, wanted);
  }
}

/** Equal hashes of one signature with each other, and how many tests have how many; 0 for the test itself. */
function compareSignatures(
  all: Int32Array,
  test: number,
  total: number,
): { equal: Uint8Array; histogram: Uint32Array } {
  const equal = new Uint8Array(total);
  const histogram = new Uint32Array(HASHES + 1);
  const own = all.subarray(test * HASHES, (test + 1) * HASHES);
  for (let other = 0; other < total; other++) {
    if (other === test) continue;
    const start = other * HASHES;
    let same = 0;
    for (let h = 0; h < HASHES; h++) if (own[h] === all[start + h]) same++;
    equal[other] = same;
    histogram[same]++;
  }
  return { equal, histogram };
}

function signatures(coverage: RunCoverage): Int32Array {
  const all = new Int32Array(coverage.tests.length * HASHES);
  const multipliers = Int32Array.from(
    { length: HASHES },
    (_, h) => Math.imul(h + 1, 0x9e37_79b1) | 1,
  );
  const signature = new Int32Array(HASHES);
  coverage.tests.forEach(({ points }, test) => {
    signature.fill(0x7fff_ffff);
    sign(points.points, multipliers, signature);
    all.set(signature, test * HASHES);
  });
  return all;
}

/** Signed 32-bit numbers throughout: these loops are hot, and engines keep such numbers in registers. */
function sign(points: Uint32Array, multipliers: Int32Array, signature: Int32Array): void {
  for (let i = 0; i < points.length; i++) {
    const point = points[i] | 0;
    // Mixed once so that neighbouring points do not move together; the multipliers permute from there.
    let mixed = Math.imul(point ^ (point >>> 16), 0x45d9_f3b);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b_3c6d);
    mixed ^= mixed >>> 12;
    for (let h = 0; h < HASHES; h++) {
      const hash = Math.imul(mixed ^ (h << 24), multipliers[h]) | 0;
      if (hash < signature[h]) signature[h] = hash;
    }
  }
}
