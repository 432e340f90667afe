import type { TestRecord } from "../record/test_record.ts";
import type { TestColumns } from "./hits/test_columns.ts";
import type { PointHits } from "./point_hits.ts";

/** Records of one test that was run several times. */
export interface RepeatGroup {
  readonly file: string;
  readonly name: string;
  /** Which of the tests of this name in its file it is, from 1: a name can be used twice. */
  readonly occurrence: number;
  /** Indexes into the run's tests. */
  readonly tests: readonly number[];
  /** Points that every repeat hit, ascending. */
  readonly steady: Uint32Array;
  /** Points that some repeats hit and some did not, ascending: caches, timers and work queues come and go. */
  readonly flaky: Uint32Array;
}

/** The part of a run that determines which tests are repeats of which. */
export interface RepeatedTests {
  readonly tests: readonly {
    readonly record: Pick<TestRecord, "name" | "file" | "runner" | "pass">;
    readonly points: Pick<PointHits, "points">;
  }[];
  /** One for each point. */
  readonly pointTests: { readonly length: number };
  readonly hits?: { readonly columns?: Pick<TestColumns, "identity" | "pass"> };
}

/**
 * The tests of a run by runner, file and name, each with the points that come and go between its repeats. Tests of one
 * name in one pass are different tests: the first of one pass and the first of the next are repeats.
 */
export function repeatGroups(run: RepeatedTests): RepeatGroup[] {
  const { identity, pass } = run.hits?.columns ?? identityColumns(run);
  const identities = identity.reduce((most, number) => Math.max(most, number + 1), 0);
  const groups = new Map<number, { occurrence: number; tests: number[] }>();
  const occurrences = new Map<number, number>();
  for (let test = 0; test < identity.length; test++) {
    const inPass = pass[test] * identities + identity[test];
    const occurrence = occurrences.get(inPass) ?? 0;
    occurrences.set(inPass, occurrence + 1);
    const key = occurrence * identities + identity[test];
    const known = groups.get(key);
    if (known === undefined) groups.set(key, { occurrence: occurrence + 1, tests: [test] });
    else known.tests.push(test);
  }
  const scratch = { seen: new Uint32Array(0) };
  return [...groups.values()].map((group) => new Repeats(run, group, scratch));
}

function identityColumns({ tests }: RepeatedTests): Pick<TestColumns, "identity" | "pass"> {
  const numbers = new Map<string, number>();
  const identity = new Uint32Array(tests.length), pass = new Uint32Array(tests.length);
  tests.forEach(({ record }, test) => {
    const { runner = "", file, name } = record;
    const key = `${runner}\n${file}\n${name}`;
    const number = numbers.get(key) ?? numbers.size;
    if (number === numbers.size) numbers.set(key, number);
    identity[test] = number;
    pass[test] = record.pass ?? 0;
  });
  return { identity, pass };
}

/** Repeats of a test, whose points are told apart when that is asked for. */
class Repeats implements RepeatGroup {
  readonly occurrence: number;
  readonly tests: readonly number[];
  readonly #run: RepeatedTests;
  /** Of all groups of a run; empty until one needs it. */
  readonly #scratch: { seen: Uint32Array };
  #points: { readonly steady: Uint32Array; readonly flaky: Uint32Array } | undefined;

  constructor(
    run: RepeatedTests,
    { occurrence, tests }: { readonly occurrence: number; readonly tests: readonly number[] },
    scratch: { seen: Uint32Array },
  ) {
    this.occurrence = occurrence;
    this.tests = tests;
    this.#run = run;
    this.#scratch = scratch;
  }

  get file(): string {
    return this.#run.tests[this.tests[0]].record.file;
  }

  get name(): string {
    return this.#run.tests[this.tests[0]].record.name;
  }

  get steady(): Uint32Array {
    return (this.#points ??= this.#tellApart()).steady;
  }

  get flaky(): Uint32Array {
    return (this.#points ??= this.#tellApart()).flaky;
  }

  #tellApart(): { readonly steady: Uint32Array; readonly flaky: Uint32Array } {
    const { tests } = this;
    const run = this.#run;
    if (tests.length === 1) {
      return { steady: run.tests[tests[0]].points.points, flaky: new Uint32Array(0) };
    }
    if (this.#scratch.seen.length === 0) {
      this.#scratch.seen = new Uint32Array(run.pointTests.length);
    }
    const { seen } = this.#scratch;
    for (const test of tests) {
      for (const point of run.tests[test].points.points) seen[point]++;
    }
    const steady: number[] = [], flaky: number[] = [];
    for (const test of tests) {
      for (const point of run.tests[test].points.points) {
        if (seen[point] === 0) continue;
        (seen[point] === tests.length ? steady : flaky).push(point);
        seen[point] = 0;
      }
    }
    return { steady: Uint32Array.from(steady).sort(), flaky: Uint32Array.from(flaky).sort() };
  }
}

/** The points of each test without those that come and go between its repeats. */
export function steadyPoints<Test extends RepeatedTests["tests"][number] & { points: PointHits }>(
  run: RepeatedTests & { readonly tests: readonly Test[] },
): { readonly tests: Test[]; readonly flaky: number } {
  const tests = [...run.tests];
  const left = new Set<number>();
  const isFlaky = new Uint8Array(run.pointTests.length);
  for (const group of repeatGroups(run)) {
    if (group.flaky.length === 0) continue;
    for (const point of group.flaky) {
      isFlaky[point] = 1;
      left.add(point);
    }
    for (const test of group.tests) {
      const { points } = tests[test];
      const stays = (_: number, i: number): boolean => isFlaky[points.points[i]] === 0;
      tests[test] = {
        ...tests[test],
        points: {
          ...points,
          points: points.points.filter(stays),
          hits: points.hits?.filter(stays) ?? null,
        },
      };
    }
    for (const point of group.flaky) isFlaky[point] = 0;
  }
  return { tests, flaky: left.size };
}
