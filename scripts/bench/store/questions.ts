import { type FilePatch, parsePatch } from "../../../src/coverage/patch/patch.ts";
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
const DIFF_LINES = 20;

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
  const anyLine = (): number => image.claimLine[image.claimStart[anyPoint()]];
  const placeOf = (line: number): { file: string; line: number } => ({
    file: image.files[image.lineFile[line]],
    line: image.lineNumber[line],
  });
  const patchOf = (lines: readonly number[]): FilePatch[] =>
    parsePatch(
      lines.map(placeOf).map(({ file, line }) =>
        `--- a/${file}\n+++ b/${file}\n@@ -${line},1 +${line},1 @@\n-\told();\n+\tnew();\n`
      ).join(""),
    );
  for (let time = 0; time <= TIMES; time++) {
    const { file, line } = placeOf(anyLine());
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
  // From a parsed patch to all tests that it needs, in order, each with what its score and reasons are worked out from.
  for (let time = 0; time <= TIMES; time++) {
    const lines = new Set<number>();
    for (let left = DIFF_POINTS; left > 0;) {
      const line = anyLine();
      const points = lookup.pointsOfLine(line).length;
      if (points > left || lines.has(line)) continue;
      lines.add(line);
      left -= points;
    }
    const patch = patchOf([...lines]);
    const name = `which-diff, ranked, lines of ${DIFF_POINTS} points`;
    yield {
      name: time === 0 ? `${name}, first` : name,
      ask: { sync: () => whichPatch(lookup, patch) },
    };
  }
  // Among them are lines of headers, whose code is in thousands of places.
  for (let time = 0; time < TIMES; time++) {
    const patch = patchOf(Array.from({ length: DIFF_LINES }, anyLine));
    yield {
      name: `which-diff, ranked, any ${DIFF_LINES} lines`,
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
