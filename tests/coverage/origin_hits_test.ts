import assert from "node:assert/strict";
import { test } from "node:test";
import { PointOrigins } from "../../src/coverage/point_origins.ts";
import { originRows } from "../../src/coverage/questions/test_origins.ts";
import { RunCoverage } from "../../src/coverage/run_coverage.ts";
import { buildUniverse } from "../../src/coverage/universe.ts";
import { KCOV_CALL } from "../../src/kcov/origin.ts";
import type { TestRecord } from "../../src/record/test_record.ts";
import {
  buildRecord,
  randomKernel,
  randomRecords,
  seededRandom,
  smallKernel,
} from "../_support/images/index_builder.ts";
import { CALL, origin, originRun, originsOf } from "../_support/images/origin_run.ts";

/** Records with origins of many kinds, of which each PC has at least one. */
function recordsWithOrigins(seed: number, kinds: number): TestRecord[] {
  const random = seededRandom(seed);
  return randomRecords(randomKernel(seed, 6), seed, 12).map((record) => {
    const points = Array.from({ length: kinds }, (): number[] => []);
    for (let i = 0; i < record.pcs.length; i++) {
      const first = random(kinds);
      points[first].push(i);
      const other = random(kinds);
      if (other !== first) points[other].push(i);
    }
    const origins = points.map((own, kind) => ({
      origin: 97 * kind,
      points: Uint32Array.from(own),
    }));
    return { ...record, origins: origins.filter(({ points }) => points.length > 0) };
  });
}

/** The points of each origin of a record, found PC by PC. */
function plainOrigins(
  { universe: { image } }: RunCoverage,
  record: TestRecord,
): [number, number[]][] {
  const byPc = new Map(
    [...image.pointOffset.keys()].filter((point) => image.pointUnknown[point] === 0)
      .map((point) => [image.base + image.pointOffset[point] + image.callLength, point]),
  );
  return record.origins!.map(({ origin, points }): [number, number[]] => [
    origin,
    [...points].map((i) => byPc.get(record.pcs[i])).filter((point) => point !== undefined),
  ]).filter(([, points]) => points.length > 0);
}

test("the origins of a test have the points that their PCs name", () => {
  for (const seed of [1, 2, 3]) {
    const records = recordsWithOrigins(seed, 5);
    const run = new RunCoverage(buildUniverse(randomKernel(seed, 6)), records);
    run.tests.forEach(({ origins, points }, test) => {
      assert.deepEqual(
        origins!.map(({ origin, points }) => [origin, [...points]]),
        plainOrigins(run, records[test]!),
      );
      const all = new Set(origins!.flatMap(({ points }) => [...points]));
      assert.deepEqual([...all].sort((a, b) => a - b), [...points.points]);
    });
  }
});

test("PCs of no point are in no origin, and an origin that only has such is left out", () => {
  const image = smallKernel();
  const offsets = [0x10, 0x11, 0x100, 0x300, 0x9000];
  const run = new RunCoverage(buildUniverse(image), [
    buildRecord(image, "a", offsets, null, {
      origins: originsOf(offsets, [
        [origin("own", CALL.read), [0x10, 0x11, 0x9000]],
        [origin("own", CALL.write), [0x300]],
        [origin("net", CALL.write), [0x10, 0x100, 0x300]],
      ]),
    }),
  ]);
  assert.deepEqual(
    run.tests[0].origins?.map(({ origin, points }) => [origin, [...points]]),
    [[origin("own", CALL.read), [0]], [origin("net", CALL.write), [0, 2]]],
  );
  assert.ok(!("origins" in run.tests[0].record));
});

test("PointOrigins has for points the origins of all tests that hit them, parts in their order", () => {
  const records = recordsWithOrigins(4, 70);
  const run = new RunCoverage(buildUniverse(randomKernel(4, 6)), records);
  const known = new PointOrigins(run);
  assert.ok(known.origins.length > 64, `${known.origins.length} origins`);
  for (let point = 0; point < run.pointTests.length; point++) {
    const expected = records.flatMap((record) =>
      plainOrigins(run, record).filter(([, points]) => points.includes(point)).map(([o]) => o)
    );
    assert.deepEqual(
      known.of(Uint32Array.of(point)).map((at) => known.origins[at]).sort((a, b) => a! - b!),
      [...new Set(expected)].sort((a, b) => a - b),
    );
  }
  assert.deepEqual(new PointOrigins(originRun()).origins, [
    origin("own", CALL.write),
    origin("own", CALL.pipe2),
    origin("child", CALL.write),
    origin("own", CALL.connect),
    origin("child", KCOV_CALL.pageFault),
    origin("net", CALL.connect),
    origin("timer", KCOV_CALL.none),
    origin("net", CALL.close),
  ]);
});

test("rows put calls of own tasks together, and what ran on behalf by how it ran", () => {
  const hits = ([
    [origin("net", CALL.connect), [1, 5]],
    [origin("main", CALL.read), [8]],
    [origin("own", CALL.write), [3, 4]],
    [origin("own", KCOV_CALL.codeFault), [2]],
    [origin("thread", CALL.write), [4, 9]],
    [origin("own", CALL.read), [3]],
    [origin("net", CALL.close), [2, 5]],
    [origin("own", KCOV_CALL.pageFault), [2]],
    [origin("taskWork", CALL.read), [7]],
  ] as const).map(([origin, points]) => ({ origin, points: Uint32Array.from(points) }));
  const rows = (grouping: "call" | "origin", threadsShared: boolean) =>
    originRows(hits, grouping, { machine: "x86_64", threadsShared })
      .map(({ part, origins, points }) => [part, origins.length, [...points].join()]);
  assert.deepEqual(rows("call", false), [
    ["calls", 2, "3,4,9"],
    ["calls", 2, "3,7"],
    ["faults", 1, "2"],
    ["faults", 1, "2"],
    ["behalf", 2, "1,2,5"],
    ["runtime", 1, "8"],
  ]);
  assert.deepEqual(rows("call", true), [
    ["calls", 1, "3,4"],
    ["calls", 2, "3,7"],
    ["faults", 1, "2"],
    ["faults", 1, "2"],
    ["behalf", 2, "1,2,5"],
    ["runtime", 1, "8"],
    ["runtime", 1, "4,9"],
  ]);
  assert.equal(rows("origin", false).length, hits.length);
});

test("linesOfPoints() finds the lines that a test of these points has", () => {
  const image = randomKernel(9, 6);
  const run = new RunCoverage(buildUniverse(image), randomRecords(image, 9, 20));
  run.tests.forEach(({ points: { points } }, test) => {
    assert.deepEqual([...run.linesOfPoints(points)], [...run.linesOf(test).lines]);
  });
  assert.equal(run.linesOfPoints(new Uint32Array(0)).length, 0);
});
