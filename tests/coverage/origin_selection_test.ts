import assert from "node:assert/strict";
import { test } from "node:test";
import { ORIGIN_CLASSES, type OriginClass, originClass } from "../../src/coverage/origin_class.ts";
import {
  checkCalls,
  leftOutTotal,
  NOTHING_LEFT_OUT,
  type OriginSelection,
} from "../../src/coverage/origin_selection.ts";
import { RunCoverage } from "../../src/coverage/run_coverage.ts";
import { buildUniverse } from "../../src/coverage/universe.ts";
import { KCOV_CALL, KCOV_HOW, KCOV_HOW_SHIFT, type OriginPoints } from "../../src/kcov/origin.ts";
import { callsNamed } from "../../src/kcov/system_calls.ts";
import type { TestRecord } from "../../src/record/test_record.ts";
import { cobertura } from "../../src/report/cobertura.ts";
import { jsonReport } from "../../src/report/json_report.ts";
import { lcovAggregate, lcovPerTest } from "../../src/report/lcov.ts";
import { syzkallerRawCover } from "../../src/report/syzkaller.ts";
import { teamscaleReport } from "../../src/report/teamscale.ts";
import { randomKernel, randomRecords, smallKernel } from "../_support/images/index_builder.ts";
import { buildRecord } from "../_support/images/index_builder.ts";
import { wholeNumbers } from "../_support/origin_records.ts";

const KERNEL = { buildId: "ab", release: "6.12", machine: "x86_64" };
const [CONNECT] = callsNamed("x86_64", "connect");
const [FUTEX] = callsNamed("x86_64", "futex");
const [WRITE] = callsNamed("x86_64", "write");

function origin(how: keyof typeof KCOV_HOW, call: number): number {
  return KCOV_HOW[how] << KCOV_HOW_SHIFT | call;
}

const OWN = origin("own", WRITE), TIMER = origin("timer", CONNECT);
const RUNTIME = origin("thread", FUTEX), FAULTS = origin("own", KCOV_CALL.codeFault);
/** One of each class and some more. */
const ORIGINS = [
  OWN,
  TIMER,
  RUNTIME,
  FAULTS,
  origin("own", CONNECT),
  origin("child", KCOV_CALL.pageFault),
  origin("main", WRITE),
];

function selecting(
  classes: readonly OriginClass[],
  parts: Partial<OriginSelection> = {},
): OriginSelection {
  return { classes, calls: [], restricts: false, ...parts };
}

/** The record with each of its points from one to three origins. */
function withOrigins(record: TestRecord, seed: number): TestRecord {
  const below = wholeNumbers(seed);
  const points = ORIGINS.map((): number[] => []);
  for (let point = 0; point < record.pcs.length; point++) {
    for (const kind of new Set(Array.from({ length: 1 + below(3) }, () => below(ORIGINS.length)))) {
      points[kind].push(point);
    }
  }
  const origins: OriginPoints[] = points.map((own, kind) => ({
    origin: ORIGINS[kind],
    points: Uint32Array.from(own),
    ...(record.hits === null ? {} : { hits: Uint32Array.from(own, () => 1 + below(9)) }),
  }));
  const hits = record.hits === null ? null : new Uint32Array(record.pcs.length);
  for (const { points, hits: own } of origins) {
    if (hits !== null) points.forEach((point, at) => hits[point] += own![at]);
  }
  return { ...record, hits, origins };
}

/** A run of tests some of which have origins, some none, some hits. */
function madeUpRun(seed: number) {
  const image = randomKernel(seed, 6);
  const records = randomRecords(image, seed + 1, 12);
  const known = records.map((record, at) =>
    withOrigins({ ...record, ...(at % 2 ? {} : { hits: null }) }, seed + at)
  );
  return { universe: buildUniverse(image), records, known };
}

function pointsOf(coverage: RunCoverage): number[][] {
  return coverage.tests.map(({ points }) => [...points.points]);
}

test("the classes of a run together are the whole run, and each loses what the others have alone", () => {
  for (let seed = 1; seed < 12; seed++) {
    const { universe, known, records } = madeUpRun(seed);
    const whole = new RunCoverage(universe, records, { kernel: KERNEL });
    const parts = ORIGIN_CLASSES.map((name) =>
      new RunCoverage(universe, known, { kernel: KERNEL, selection: selecting([name]) })
    );
    whole.tests.forEach(({ points }, at) => {
      const union = new Set(parts.flatMap(({ tests }) => [...tests[at].points.points]));
      assert.deepEqual([...union].sort((a, b) => a - b), [...points.points]);
      for (const { tests } of parts) {
        const { points: own, leftOut } = tests[at];
        assert.equal(own.points.length + leftOutTotal(leftOut!), points.points.length);
      }
    });
    for (const part of parts) {
      assert.equal(part.totals.points + leftOutTotal(part.leftOut), whole.totals.points);
    }
    const all = new RunCoverage(universe, known, {
      kernel: KERNEL,
      selection: selecting(ORIGIN_CLASSES),
    });
    assert.deepEqual(pointsOf(all), pointsOf(whole));
    assert.deepEqual(all.totals, whole.totals);
    assert.deepEqual(all.leftOut, NOTHING_LEFT_OUT);
  }
});

test("any selection counts what its origins ran, as often as they did, and says what only others ran", () => {
  for (let seed = 20; seed < 40; seed++) {
    const { universe, known } = madeUpRun(seed);
    const below = wholeNumbers(seed);
    const classes = ORIGIN_CLASSES.filter(() => below(2) === 0);
    const calls = below(2) === 0 ? ["connect"] : [];
    const coverage = new RunCoverage(universe, known, {
      kernel: KERNEL,
      selection: selecting(classes, { calls }),
    });
    const { image } = universe;
    known.forEach(({ pcs, origins = [], hits }, at) => {
      const counts = new Map<number, number>(), others = new Map<number, Set<OriginClass>>();
      for (const { origin, points, hits: own } of origins) {
        const name = originClass(origin, KERNEL);
        const isCall = calls.length > 0 && (origin & 0xfff) === CONNECT && name !== "runtime";
        points.forEach((point, i) => {
          const pc = pcs[point];
          if (isCall || classes.includes(name)) {
            counts.set(pc, (counts.get(pc) ?? 0) + (own?.[i] ?? 0));
          } else others.set(pc, (others.get(pc) ?? new Set()).add(name));
        });
      }
      const { points, leftOut } = coverage.tests[at];
      const pcOf = (point: number): number =>
        image.base + image.callLength + image.pointOffset[point];
      const isKnown = (pc: number): boolean => {
        const point = image.pointOffset.indexOf(pc - image.callLength - image.base);
        return point >= 0 && image.pointUnknown[point] === 0;
      };
      const expected = [...counts].filter(([pc]) => isKnown(pc)).sort(([a], [b]) => a - b);
      assert.deepEqual(Array.from(points.points, pcOf), expected.map(([pc]) => pc));
      if (hits !== null) {
        assert.deepEqual([...points.hits!], expected.map(([, count]) => count));
      }
      for (const name of ORIGIN_CLASSES) {
        const only = [...others].filter(([pc, names]) =>
          isKnown(pc) && !counts.has(pc) && names.size === 1 && names.has(name)
        );
        assert.equal(leftOut!.only[name], only.length);
      }
    });
  }
});

test("every report of a narrowed run has the same points, lines and sums", () => {
  const { universe, known, records } = madeUpRun(50);
  const mixed = [...known.slice(0, 6), ...records.slice(6)];
  for (const classes of [["own", "behalf"], ["behalf"], ["runtime", "faults"]] as const) {
    const coverage = new RunCoverage(universe, mixed, {
      kernel: KERNEL,
      selection: selecting(classes),
    });
    const { totals } = coverage;
    const lcov = [...lcovAggregate(coverage)].join("");
    const hitLines = lcov.match(/^DA:\d+,[1-9]\d*$/gm)?.length ?? 0;
    assert.equal(hitLines, totals.lines);
    const linesHit = [...lcov.matchAll(/^LH:(\d+)$/gm)].reduce((sum, [, n]) => sum + Number(n), 0);
    assert.equal(linesHit, totals.lines);
    assert.equal([...syzkallerRawCover(coverage)].join("").match(/^0x/gm)?.length, totals.points);
    const json = JSON.parse([...jsonReport(coverage)].join(""));
    assert.deepEqual(json.totals, totals);
    const [, covered] = /lines-covered="(\d+)"/.exec([...cobertura(coverage)].join(""))!;
    assert.equal(Number(covered), totals.lines);
    const perTest = [...lcovPerTest(coverage)].join("").split("TN:").slice(1);
    const teamscale = JSON.parse([...teamscaleReport(coverage)].join(""));
    coverage.tests.forEach(({ totals: own, record }, at) => {
      assert.equal(json.tests[at].totals.lines, own.lines, record.name);
      const ranges: string[] = teamscale.tests[at].paths.flatMap(
        ({ files }: { files: { coveredLines: string }[] }) =>
          files.map((file) => file.coveredLines),
      );
      const lines = ranges.flatMap((text) => text.split(",")).map((range) => range.split("-"))
        .reduce((sum, [from, to = from]) => sum + Number(to) - Number(from) + 1, 0);
      assert.equal(lines, own.lines, record.name);
    });
    assert.equal(
      perTest.flatMap((text) => text.match(/^DA:\d+,[1-9]\d*$/gm) ?? []).length,
      coverage.tests.reduce((sum, { totals: own }) => sum + own.lines, 0),
    );
  }
});

test("a record whose origins are not known counts whole, or not at all where origins were asked for", () => {
  const { universe, known, records } = madeUpRun(60);
  const mixed = [...known.slice(0, 6), ...records.slice(6)];
  const byDefault = new RunCoverage(universe, mixed, { kernel: KERNEL });
  const whole = new RunCoverage(universe, records, { kernel: KERNEL });
  assert.deepEqual(pointsOf(byDefault).slice(6), pointsOf(whole).slice(6));
  assert.equal(byDefault.originsUnknown, 6);
  assert.ok(byDefault.tests.slice(6).every(({ leftOut }) => leftOut === undefined));
  const asked = new RunCoverage(universe, mixed, {
    kernel: KERNEL,
    selection: selecting(["own"], { restricts: true }),
  });
  assert.deepEqual(pointsOf(asked).slice(6), new Array(6).fill([]));
  assert.equal(asked.originsUnknown, 6);
  assert.ok(
    asked.tests.slice(6).every(({ points, totals }) =>
      totals.points === 0 && (points.hits === null || points.hits.length === 0)
    ),
  );
  // Hits that are not told apart by origin would be too many.
  const untold = known.map(({ origins = [], ...record }) => ({
    ...record,
    origins: origins.map(({ origin, points }) => ({ origin, points })),
  }));
  const counted = new RunCoverage(universe, untold, { kernel: KERNEL });
  assert.equal(counted.originsUnknown, 6);
  untold.forEach(({ hits, pcs }, at) => {
    if (hits !== null) assert.equal(counted.tests[at].points.hits!.length <= pcs.length, true);
    if (hits !== null) assert.deepEqual(pointsOf(counted)[at], pointsOf(whole)[at]);
  });
});

test("baseline, and what ran outside of tests, are narrowed alike, and counted nowhere else", () => {
  const image = smallKernel();
  const offsets = [0x100, 0x120, 0x200];
  function record(name: string, kind: TestRecord["kind"]): TestRecord {
    return buildRecord(image, name, offsets, null, {
      kind,
      origins: [
        { origin: OWN, points: Uint32Array.of(0) },
        { origin: RUNTIME, points: Uint32Array.of(1) },
        { origin: FAULTS, points: Uint32Array.of(1, 2) },
      ],
    });
  }
  const coverage = new RunCoverage(
    buildUniverse(image),
    [record("(empty tests)", "baseline"), record("(outside tests)", "outside")],
    { kernel: KERNEL },
  );
  assert.deepEqual([coverage.baseline.length, coverage.outside.length], [1, 1]);
  assert.deepEqual(coverage.leftOut, NOTHING_LEFT_OUT);
  const [test] =
    new RunCoverage(buildUniverse(image), [record("t", "test")], { kernel: KERNEL }).tests;
  assert.deepEqual(test.leftOut, {
    only: { own: 0, behalf: 0, runtime: 0, faults: 1 },
    several: 1,
  });
});

test("a call that the machine has not is refused, with the nearest names", () => {
  assert.throws(
    () => checkCalls(selecting([], { calls: ["conect"] }), "x86_64"),
    (error) =>
      error instanceof TypeError &&
      /no system call conect on x86_64: .*connect/.test(error.message),
  );
  checkCalls(selecting([], { calls: ["connect", "page fault"] }), "x86_64");
  assert.throws(
    () => checkCalls(selecting([], { calls: ["arch_prctl"] }), "aarch64"),
    /on aarch64/,
  );
});
