import { repeatIndex } from "./repeat_index.ts";
import type { RunCoverage } from "./run_coverage.ts";

const NOBODY = -1, SEVERAL = -2;

/** The points and lines of a run that one test alone hit, in whichever of its repeats. */
export class SoleOwners {
  /** By point and by line, the test, as its first repeat, or one of the two numbers above. */
  readonly #points: Int32Array;
  readonly #lines: Int32Array;
  readonly #first: Uint32Array;

  constructor(coverage: RunCoverage) {
    this.#first = repeatIndex(coverage).first;
    this.#points = new Int32Array(coverage.pointTests.length).fill(NOBODY);
    this.#lines = new Int32Array(coverage.lineTests.length).fill(NOBODY);
    coverage.tests.forEach(({ points }, test) => {
      enter(this.#points, points.points, this.#first[test]!);
      enter(this.#lines, coverage.linesOf(test).lines, this.#first[test]!);
    });
  }

  /** Those of `points` that no test but `test` hit. */
  pointsOf(test: number, points: Uint32Array): Uint32Array {
    const owner = this.#first[test]!;
    return points.filter((point) => this.#points[point] === owner);
  }

  /** Those of `lines` that no test but `test` hit. */
  linesOf(test: number, lines: Uint32Array): Uint32Array {
    const owner = this.#first[test]!;
    return lines.filter((line) => this.#lines[line] === owner);
  }
}

function enter(owners: Int32Array, hit: Uint32Array, test: number): void {
  for (const id of hit) {
    if (owners[id] === NOBODY) owners[id] = test;
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
