import { parsePatch } from "../../../src/coverage/patch/patch.ts";
import { whichPatch } from "../../../src/coverage/patch/patch_tests.ts";
import { SimilarTests } from "../../../src/coverage/questions/similar_tests.ts";
import { TestLookup } from "../../../src/coverage/questions/test_lookup.ts";
import { uniqueCoverage } from "../../../src/coverage/questions/unique_coverage.ts";
import { whichLine } from "../../../src/coverage/questions/which_tests.ts";
import type { RunCoverage } from "../../../src/coverage/run_coverage.ts";
import { repeatGroups } from "../../../src/coverage/test_repeats.ts";
import { showTest } from "../../../src/report/show_text.ts";
import type { StoreDriver } from "../../../src/store/drivers/driver.ts";
import { randomNumbers } from "../report/made_up_kernel.ts";

/** A question that is asked of a store. */
export interface AskedQuestion {
  readonly name: string;
  readonly ask: { readonly sync?: () => unknown; readonly async?: () => Promise<unknown> };
}

const TIMES = 9;
const DIFF_POINTS = 40;

/** Questions of lines and points that tests hit, drawn evenly; each line and point is asked of once. */
export function* benchQuestions(
  coverage: RunCoverage,
  driver: StoreDriver,
): Generator<AskedQuestion> {
  const random = randomNumbers(5);
  const { universe: { image }, pointTests } = coverage;
  const hit = [...pointTests.keys()].filter((point) => pointTests[point] > 0);
  const anyPoint = (): number => hit[Math.floor(random() * hit.length)];
  const lookup = new TestLookup(coverage);
  const placeOf = (point: number): { file: string; line: number } => {
    const line = image.claimLine[image.claimStart[point]];
    return { file: image.files[image.lineFile[line]], line: image.lineNumber[line] };
  };
  for (let time = 0; time <= TIMES; time++) {
    const { file, line } = placeOf(anyPoint());
    const name = time === 0 ? "which-line, first" : "which-line";
    yield { name, ask: { sync: () => whichLine(lookup, file, line) } };
  }
  for (let time = 0; time < TIMES; time++) {
    const points = Uint32Array.from({ length: DIFF_POINTS }, anyPoint).sort();
    yield {
      name: `which-diff, rows of ${DIFF_POINTS} points`,
      ask: { async: () => driver.rowsOfPoints(points) },
    };
  }
  for (let time = 0; time < TIMES; time++) {
    const patch = parsePatch(
      Array.from({ length: DIFF_POINTS / 2 }, () => {
        const { file, line } = placeOf(anyPoint());
        return `--- a/${file}\n+++ b/${file}\n@@ -${line},1 +${line},1 @@\n-\told();\n+\tnew();\n`;
      }).join(""),
    );
    yield {
      name: "which-diff, ranked answer",
      ask: { sync: () => whichPatch(lookup, patch) },
    };
  }
  const groups = repeatGroups(coverage);
  for (let time = 0; time < 3; time++) {
    const group = groups[Math.floor(random() * groups.length)];
    yield {
      name: "show",
      ask: {
        sync: () => {
          const similar = new SimilarTests(coverage).of(group.tests[0], 5);
          return showTest(coverage, group, similar);
        },
      },
    };
  }
  for (let time = 0; time < 3; time++) {
    yield { name: "unique", ask: { sync: () => uniqueCoverage(coverage) } };
  }
}
