import assert from "node:assert/strict";
import test from "node:test";
import { randomNumbers } from "../../scripts/bench/report/made_up_kernel.ts";
import { untilFetched } from "../../src/coverage/hits/hit_source.ts";
import { parsePatch } from "../../src/coverage/patch/patch.ts";
import { whichPatch } from "../../src/coverage/patch/patch_tests.ts";
import { unionOf } from "../../src/coverage/point_sets.ts";
import { TestLookup } from "../../src/coverage/questions/test_lookup.ts";
import { BuiltInDriver } from "../../src/store/drivers/built_in_driver.ts";
import { fetchedHits } from "../../src/store/fetched_hits.ts";
import { addShards, IMAGE, madeUpRun, storeCoverage, temporaryFolder } from "./stored_runs.ts";

test("which --diff of lines that tests run reads the points of these lines alone", async () => {
  using folder = temporaryFolder();
  await addShards(folder.path, [[0, madeUpRun(40, 30)]]);
  const driver = await BuiltInDriver.open(folder.path);
  const read = driver.rowsOfPoints.bind(driver);
  const asked: number[] = [];
  driver.rowsOfPoints = (points) => {
    asked.push(...points);
    return read(points);
  };
  const coverage = await storeCoverage(driver, fetchedHits);
  const lookup = new TestLookup(coverage);
  const hit = [...coverage.lineHit.keys()].filter((line) => coverage.lineHit[line] === 1);
  const lines = [0.1, 0.4, 0.7].map((part) => hit[Math.floor(part * hit.length)]);
  const patch = parsePatch(
    lines.map((line) => {
      const file = IMAGE.files[IMAGE.lineFile[line]], number = IMAGE.lineNumber[line];
      return `--- a/${file}\n+++ b/${file}\n@@ -${number},1 +${number},1 @@\n-\told();\n+\tnew();\n`;
    }).join(""),
  );
  const answer = await untilFetched(coverage, () => whichPatch(lookup, patch));
  assert.ok(answer.tests.length > 0);
  const expected = lines.flatMap((line) => [...lookup.pointsOfLine(line)])
    .filter((point) => coverage.pointTests[point] > 0);
  assert.deepEqual(asked.sort((a, b) => a - b), [...new Set(expected)].sort((a, b) => a - b));
  await driver.close();
});

test("unionOf() of few and of many values", () => {
  const random = randomNumbers(3);
  for (const [count, limit] of [[5, 1e6], [500, 1000], [0, 10]] as const) {
    const columns = Array.from(
      { length: 4 },
      () => Uint32Array.from({ length: count }, () => Math.floor(random() * limit)).sort(),
    );
    const expected = [...new Set(columns.flatMap((column) => [...column]))].sort((a, b) => a - b);
    assert.deepEqual([...unionOf(columns)], expected);
  }
  assert.deepEqual([...unionOf([])], []);
});
