import assert from "node:assert/strict";
import { randomNumbers } from "../../scripts/bench/report/made_up_kernel.ts";
import { untilFetched } from "../../src/coverage/hits/hit_source.ts";
import type { OriginSelection } from "../../src/coverage/origin_selection.ts";
import { parsePatch } from "../../src/coverage/patch/patch.ts";
import { whichPatch } from "../../src/coverage/patch/patch_tests.ts";
import { minimizeTests } from "../../src/coverage/questions/minimize_tests.ts";
import { SimilarTests } from "../../src/coverage/questions/similar_tests.ts";
import { TestLookup } from "../../src/coverage/questions/test_lookup.ts";
import { uniqueCoverage } from "../../src/coverage/questions/unique_coverage.ts";
import { findPlace, whichFiles } from "../../src/coverage/questions/which_files.ts";
import { whichFunction, whichLine } from "../../src/coverage/questions/which_tests.ts";
import type { RunCoverage } from "../../src/coverage/run_coverage.ts";
import { repeatGroups } from "../../src/coverage/test_repeats.ts";
import type { Run } from "../../src/record/test_record.ts";
import {
  lineAnswerJson,
  linesAnswerJson,
  minimalSetJson,
  patchAnswerJson,
  uniqueJson,
} from "../../src/report/answer_json.ts";
import { jsonReport } from "../../src/report/json_report.ts";
import { showJson, showTest } from "../../src/report/show_text.ts";
import { testTable, totalsText } from "../../src/report/text_table.ts";
import type { StoreDriver } from "../../src/store/drivers/driver.ts";
import { fetchedHits } from "../../src/store/fetched_hits.ts";
import { wholeHits } from "../../src/store/whole_hits.ts";
import { IMAGE, mergedCoverage, storeCoverage, UNIVERSE } from "./stored_runs.ts";

/** Questions about some lines and tests, as JSON. */
function fewAnswers(coverage: RunCoverage, seed: number): unknown {
  const random = randomNumbers(seed);
  const whole = (limit: number): number => Math.floor(random() * limit);
  const lookup = new TestLookup(coverage);
  const lines = Array.from({ length: 12 }, () => whole(IMAGE.lineNumber.length));
  const functions = Array.from({ length: 5 }, () => whole(IMAGE.functionName.length));
  const groups = repeatGroups(coverage);
  const shown = Array.from({ length: 3 }, () => groups[whole(groups.length)]);
  const patch = parsePatch(
    lines.slice(0, 4).map((line) => {
      const file = IMAGE.files[IMAGE.lineFile[line]], number = IMAGE.lineNumber[line];
      return `--- a/${file}\n+++ b/${file}\n@@ -${number},1 +${number},1 @@\n-\told();\n+\tnew();\n`;
    }).join(""),
  );
  return {
    lines: lines.map((line) =>
      whichLine(lookup, IMAGE.files[IMAGE.lineFile[line]], IMAGE.lineNumber[line])
        .map((answer) => lineAnswerJson(coverage, answer))
    ),
    functions: functions.map((f) =>
      whichFunction(lookup, IMAGE.functionName[f]).map((answer) =>
        linesAnswerJson(coverage, answer)
      )
    ),
    patch: patchAnswerJson(coverage, whichPatch(lookup, patch)),
    shown: shown.map((group) => {
      const similar = new SimilarTests(coverage).of(group.tests[0], 5);
      return showJson(coverage, showTest(coverage, group, similar));
    }),
    unique: uniqueJson(coverage, uniqueCoverage(coverage)),
    totals: totalsText(coverage),
  };
}

/** Questions about all tests, as JSON and text. */
function allAnswers(coverage: RunCoverage): unknown {
  const files = findPlace(UNIVERSE, "fs");
  return {
    minimal: minimalSetJson(coverage, minimizeTests(coverage)),
    files: linesAnswerJson(coverage, whichFiles(coverage, "fs", files)),
    table: testTable(coverage),
    report: [...jsonReport(coverage)].join(""),
  };
}

/** Holds that a store answers all questions as the merged runs do. */
export async function sameAnswers(
  driver: StoreDriver,
  runs: readonly Run[],
  seed: number,
): Promise<void> {
  const merged = mergedCoverage(runs);
  const expected = fewAnswers(merged, seed);
  const fetched = await storeCoverage(driver, fetchedHits);
  const few = await untilFetched(fetched, () => fewAnswers(fetched, seed));
  assert.deepEqual(few, expected, `${driver.name}, fetched`);
  const whole = await storeCoverage(driver, wholeHits);
  assert.deepEqual(fewAnswers(whole, seed), expected, `${driver.name}, whole`);
  assert.deepEqual(allAnswers(whole), allAnswers(merged), driver.name);
  const selections: OriginSelection[] = [
    { classes: ["own"], calls: [], restricts: true },
    { classes: ["own", "behalf", "runtime", "faults"], calls: [], restricts: false },
    { classes: ["behalf"], calls: ["write"], restricts: true },
  ];
  for (const selection of selections) {
    for (const steady of [false, true]) {
      const own = await storeCoverage(driver, wholeHits, { selection, steady });
      const other = mergedCoverage(runs, { selection, steady });
      const name = `${driver.name}, ${selection.classes}, steady ${steady}`;
      assert.deepEqual(fewAnswers(own, seed), fewAnswers(other, seed), name);
      assert.deepEqual(allAnswers(own), allAnswers(other), name);
    }
  }
}
