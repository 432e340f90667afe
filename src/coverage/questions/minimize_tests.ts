import type { RunCoverage } from "../run_coverage.ts";
import { repeatGroups } from "../test_repeats.ts";

/** A test of a smallest set. */
export interface KeptTest {
  /** The first of its repeats. */
  readonly test: number;
  /** Points that it adds to those of the tests before it. */
  readonly added: number;
  /** Points of all kept tests up to this one. */
  readonly total: number;
}

/** A small set of tests that hits every point the whole run hit. */
export interface MinimalSet {
  /** In the order of what they add. */
  readonly kept: readonly KeptTest[];
  /** The other tests: every point of theirs is hit by a kept one. */
  readonly redundant: readonly number[];
  readonly points: number;
}

/**
 * A small set of tests with the same points, found greedily: each step takes the test that adds most, the shorter
 * one of two; at the end, tests that later ones made redundant are dropped. The smallest set of all would take
 * exponential time; this one is at most ln(points) times as large.
 *
 * Of a test that was run several times only the points count that all its repeats hit: no other test may be left out
 * for points that come and go.
 */
export function minimizeTests(coverage: RunCoverage): MinimalSet {
  const { tests, pointTests } = coverage;
  const covered = new Uint32Array(pointTests.length);
  const groups = repeatGroups(coverage);
  const pointsOf = new Map(groups.map(({ tests, steady }) => [tests[0], steady]));
  const gain = Float64Array.from(tests, (_, test) => pointsOf.get(test)?.length ?? 0);
  const duration = (test: number): number => tests[test].record.durationMs;
  // A test's gain only shrinks, so a stale one is an upper bound: only the top candidate must be counted again.
  const candidates = [...pointsOf.keys()];
  const chosen: number[] = [];
  const newPoints = (test: number): number => {
    let count = 0;
    for (const point of pointsOf.get(test)!) if (covered[point] === 0) count++;
    return count;
  };
  const better = (a: number, b: number): number =>
    gain[b] - gain[a] || duration(a) - duration(b) || a - b;
  const queue = new TestQueue(candidates, better);
  for (let test = queue.pop(); test !== undefined; test = queue.pop()) {
    const now = newPoints(test);
    if (now === 0) continue;
    if (now < gain[test]) {
      gain[test] = now;
      queue.push(test);
      continue;
    }
    chosen.push(test);
    for (const point of pointsOf.get(test)!) covered[point]++;
  }

  // Early picks may have become redundant; the last ones are needed by construction.
  const dropped = new Set<number>();
  for (const test of chosen) {
    const points = pointsOf.get(test)!;
    if (points.every((point) => covered[point] > 1)) {
      dropped.add(test);
      for (const point of points) covered[point]--;
    }
  }
  covered.fill(0);
  let total = 0;
  const kept = chosen.filter((test) => !dropped.has(test)).map((test) => {
    const added = newPoints(test);
    total += added;
    for (const point of pointsOf.get(test)!) covered[point]++;
    return { test, added, total };
  });
  const inSet = new Set(kept.map(({ test }) => test));
  return { kept, redundant: candidates.filter((test) => !inSet.has(test)), points: total };
}

/** A binary heap of tests, the best on top. */
class TestQueue {
  readonly #heap: number[];
  readonly #better: (a: number, b: number) => number;

  constructor(tests: readonly number[], better: (a: number, b: number) => number) {
    this.#better = better;
    // A sorted array is a heap.
    this.#heap = [...tests].sort(better);
  }

  push(test: number): void {
    const heap = this.#heap;
    let at = heap.push(test) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#better(heap[parent], test) <= 0) break;
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = test;
  }

  pop(): number | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined || heap.length === 0) return top;
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && this.#better(heap[child + 1], heap[child]) < 0) child++;
      if (this.#better(last, heap[child]) <= 0) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = last;
    return top;
  }
}
