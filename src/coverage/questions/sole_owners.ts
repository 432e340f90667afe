import { repeatIndex } from "../repeat_index.ts";
import type { RunCoverage } from "../run_coverage.ts";

const NONE = -1, SEVERAL = -2;

/** The points and lines of a run that one test alone hit, in whichever of its repeats. */
export class SoleOwners {
  readonly #coverage: RunCoverage;
  readonly #first: Uint32Array;
  /** By point and by line, the test, as its first repeat, or one of the two numbers above. */
  readonly #owners: { readonly points: Int32Array; readonly lines: Int32Array } | undefined;

  constructor(coverage: RunCoverage) {
    const { first, tests } = repeatIndex(coverage);
    this.#coverage = coverage;
    this.#first = first;
    // Without repeats the number of records is enough.
    if (tests === coverage.tests.length) return;
    this.#owners = {
      points: new Int32Array(coverage.pointTests.length).fill(NONE),
      lines: new Int32Array(coverage.lineHit.length).fill(NONE),
    };
    for (let test = 0; test < first.length; test++) {
      enter(this.#owners.points, coverage.tests[test].points.points, first[test]);
      enter(this.#owners.lines, coverage.linesOf(test).lines, first[test]);
    }
  }

  /** Those of `points`, which `test` hit, that no other test did. */
  pointsOf(test: number, points: Uint32Array): Uint32Array {
    const owners = this.#owners?.points;
    const { pointTests } = this.#coverage;
    return points.filter((point) =>
      owners === undefined ? pointTests[point] === 1 : owners[point] === this.#first[test]
    );
  }

  /** Those of `lines`, which `test` hit, that no other test did. */
  linesOf(test: number, lines: Uint32Array): Uint32Array {
    const owners = this.#owners?.lines;
    const { lineTests } = this.#coverage;
    return lines.filter((line) =>
      owners === undefined ? lineTests[line] === 1 : owners[line] === this.#first[test]
    );
  }
}

function enter(owners: Int32Array, hit: Uint32Array, test: number): void {
  for (const id of hit) {
    if (owners[id] === NONE) owners[id] = test;
    else if (owners[id] !== test) owners[id] = SEVERAL;
  }
}

const known = new WeakMap<RunCoverage, SoleOwners>();

/** What each test of a run alone hit; found once. */
export function soleOwners(coverage: RunCoverage): SoleOwners {
  let owners = known.get(coverage);
  if (owners === undefined) known.set(coverage, owners = new SoleOwners(coverage));
  return owners;
}
