import { KCOV_CALL, KCOV_CALL_MASK, KCOV_HOW_SHIFT } from "../../kcov/origin.ts";
import { MACHINES } from "../../elf/machine.ts";
import { originClass, type OriginContext } from "../origin_class.ts";
import type { HitSource } from "../hits/hit_source.ts";
import type { OriginHits } from "../origin_hits.ts";
import { union } from "../point_sets.ts";
import { repeatIndex } from "../repeat_index.ts";
import type { RunCoverage } from "../run_coverage.ts";

/**
 * What the origins of a test are of, in the order in which they are shown: calls of its tasks, page faults, what ran on
 * its behalf, and the runtime's own threads.
 */
export const ORIGIN_PARTS = ["calls", "faults", "behalf", "runtime"] as const;

/** One of {@linkcode ORIGIN_PARTS}. */
export type OriginPart = (typeof ORIGIN_PARTS)[number];

/** What is put together: all of one call, and on behalf all that ran in one way; or only what has the very same origin. */
export type OriginGrouping = "call" | "origin";

/** What a test ran from some origins. A point may be in several rows. */
export interface OriginRow {
  readonly part: OriginPart;
  /** In the order of first runs. */
  readonly origins: readonly number[];
  /** Distinct point ids, ascending. */
  readonly points: Uint32Array;
}

/** What tests, the repeats of one, ran by origin, in the order of first runs; `undefined` where any does not know. */
export function originsOfTests(
  coverage: RunCoverage,
  tests: readonly number[],
): readonly OriginHits[] | undefined {
  const [first] = tests;
  if (tests.length === 1) return coverage.tests[first].origins;
  const found = new Map<number, Uint32Array>();
  for (const test of tests) {
    const { origins } = coverage.tests[test];
    if (origins === undefined) return undefined;
    for (const { origin, points } of origins) {
      const known = found.get(origin);
      found.set(origin, known === undefined ? points : union(known, points));
    }
  }
  return [...found].map(([origin, points]) => ({ origin, points }));
}

/** Origins as rows: by part, and within one in the order of first runs. */
export function originRows(
  origins: readonly OriginHits[],
  grouping: OriginGrouping,
  context: OriginContext,
): OriginRow[] {
  const rows = new Map<string, { part: OriginPart; origins: number[]; points: Uint32Array }>();
  for (const { origin, points } of origins) {
    const part = partOf(origin, context);
    const key = grouping === "origin"
      ? `${origin}`
      : part === "behalf"
      ? `${part} ${origin >>> KCOV_HOW_SHIFT}`
      : `${part} ${origin & KCOV_CALL_MASK}`;
    const row = rows.get(key);
    if (row === undefined) rows.set(key, { part, origins: [origin], points });
    else {
      row.origins.push(origin);
      row.points = union(row.points, points);
    }
  }
  return [...rows.values()].sort((a, b) =>
    ORIGIN_PARTS.indexOf(a.part) - ORIGIN_PARTS.indexOf(b.part)
  );
}

/** The part that an origin is in. */
export function partOf(
  origin: number,
  context: OriginContext,
): OriginPart {
  const found = originClass(origin, context);
  // A child's faults count as its own, but they are no call.
  if (found !== "own") return found;
  return (origin & KCOV_CALL_MASK) === KCOV_CALL.pageFault ? "faults" : "calls";
}

/** The machine of a run as `uname -m` has it, by which calls have their numbers. */
export function machineOf({ kernel, universe }: RunCoverage): string {
  if (kernel !== undefined) return kernel.machine;
  const { machine } = universe.image;
  return MACHINES.find(({ name }) => name === machine)?.unameName ?? machine;
}

/** What the classes of the origins of tests, the repeats of one, depend on. */
export function originContext(coverage: RunCoverage, tests: readonly number[]): OriginContext {
  return {
    machine: machineOf(coverage),
    threadsShared: tests.some((test) => coverage.tests[test].record.tree?.threadsShared === true),
  };
}

/** Finds through which origins tests reach one place, whose points are given. */
export class OriginFinder {
  readonly #coverage: RunCoverage;
  readonly #isOfPlace: Uint8Array;
  /** By test, the numbers of the origins through which it hit points of the place; absent where all hits are at hand. */
  readonly #fetched: ReadonlyMap<number, ReadonlySet<number>> | undefined;

  constructor(coverage: RunCoverage, points: Iterable<number>) {
    this.#coverage = coverage;
    this.#isOfPlace = new Uint8Array(coverage.pointTests.length);
    for (const point of points) this.#isOfPlace[point] = 1;
    const { source } = coverage.hits;
    if (source !== undefined) this.#fetched = this.#reaching(source);
  }

  #reaching(source: HitSource): Map<number, Set<number>> {
    const found = new Map<number, Set<number>>();
    this.#isOfPlace.forEach((isOfPlace, point) => {
      if (isOfPlace === 0 || this.#coverage.pointTests[point] === 0) return;
      const { tests, origins } = source.rowsOf(point);
      for (let at = 0; at < tests.length; at++) {
        const known = found.get(tests[at]);
        if (known === undefined) found.set(tests[at], new Set([origins[at]]));
        else known.add(origins[at]);
      }
    });
    return found;
  }

  /**
   * The origins through which a test, in whichever of its repeats, reaches the place, in the order of first runs;
   * `undefined` where they are not known.
   *
   * @param test The first of its repeats.
   */
  of(test: number): number[] | undefined {
    const { first, repeats } = repeatIndex(this.#coverage);
    const found = new Set<number>();
    let left = repeats[test];
    for (let repeat = test; left > 0; repeat++) {
      if (first[repeat] !== test) continue;
      left--;
      const { known, hit } = this.#reachedBy(repeat);
      if (known !== undefined) { for (const origin of known) found.add(origin); }
      // One that did not reach the place says nothing of it.
      else if (repeats[test] === 1 || hit()) return undefined;
    }
    return [...found];
  }

  #reachedBy(test: number): { readonly known: readonly number[] | undefined; hit(): boolean } {
    const { source } = this.#coverage.hits;
    if (source === undefined || this.#fetched === undefined) {
      const { origins, points: { points } } = this.#coverage.tests[test];
      const known = origins?.filter(({ points }) => this.#isHit(points))
        .map(({ origin }) => origin);
      return { known, hit: () => this.#isHit(points) };
    }
    const numbers = this.#fetched.get(test);
    const reached = new Set([...numbers ?? []].flatMap((number) => source.originsOf(number)));
    return {
      known: source.originOrder(test)?.filter((origin) => reached.has(origin)),
      hit: () => numbers !== undefined,
    };
  }

  #isHit(points: Uint32Array): boolean {
    for (let i = 0; i < points.length; i++) if (this.#isOfPlace[points[i]] === 1) return true;
    return false;
  }
}
