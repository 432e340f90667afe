import { patchShare } from "../../coverage/patch/patch_verdict.ts";
import { patchAnswerJson, testReference } from "../answer_json.ts";
import { type PatchReport, problemsOf } from "./patch_report.ts";

/** The verdict on a patch with names instead of numbers. */
export function verdictJson(report: PatchReport): unknown {
  const { coverage, verdict, expected, minimum } = report;
  const { side, sideKnown, counts, files, answer } = verdict;
  const { lines, covered } = patchShare(counts);
  const problems = problemsOf(report);
  return {
    passed: problems.length === 0,
    problems,
    ...(minimum === undefined ? {} : { minimum }),
    side,
    sideKnown,
    lines,
    covered,
    percent: lines === 0 ? null : (100 * covered) / lines,
    counts,
    files: files.map(({ file: _, ...rest }) => rest),
    ...(expected === undefined ? {} : {
      expected: {
        all: expected.tests.all,
        needed: expected.tests.needed.length,
        absent: expected.tests.absent.map((test) => testReference(expected.coverage, test)),
        unfinished: expected.tests.unfinished.map((test) => testReference(expected.coverage, test)),
      },
    }),
    ...patchAnswerJson(coverage, answer) as object,
  };
}
