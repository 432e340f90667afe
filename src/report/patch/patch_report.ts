import type { MissingTests } from "../../coverage/patch/missing_tests.ts";
import {
  type ChangedLine,
  type FileVerdict,
  meetsShare,
  patchShare,
  type PatchVerdict,
} from "../../coverage/patch/patch_verdict.ts";
import type { RunCoverage } from "../../coverage/run_coverage.ts";
import { formatCount, formatPercent, plural } from "../text_style.ts";

/** What is reported of a patch, in every form. */
export interface PatchReport {
  readonly coverage: RunCoverage;
  readonly verdict: PatchVerdict;
  /** The earlier run and what it says should have run; absent without one. */
  readonly expected?: { readonly coverage: RunCoverage; readonly tests: MissingTests } | undefined;
  /** Least share of covered lines, in percent; absent where none is asked for. */
  readonly minimum?: number | undefined;
}

/** Neighbouring changed lines of a file of which the same is known. */
export interface LineSpan {
  readonly path: string;
  readonly state: ChangedLine["state"];
  readonly beside: boolean;
  /** In the new file. */
  readonly first: number;
  readonly last: number;
  /** Lines of it that were changed. */
  readonly lines: readonly ChangedLine[];
}

/** The changed lines of a file in stretches; comments, blank lines and lines without code of their own do not end one. */
export function lineSpans({ path, lines }: FileVerdict): LineSpan[] {
  const spans: (Omit<LineSpan, "lines" | "last"> & { last: number; lines: ChangedLine[] })[] = [];
  let before = 0;
  for (const line of lines) {
    const open = spans.at(-1);
    const isNext = line.newLine - before <= 1;
    before = line.newLine;
    if (line.state === "no-code" && open !== undefined && isNext) continue;
    if (open?.state === line.state && open.beside === line.beside && isNext) {
      open.last = line.newLine;
      open.lines.push(line);
    } else {
      const { newLine, state, beside } = line;
      spans.push({ path, state, beside, first: newLine, last: newLine, lines: [line] });
    }
  }
  return spans;
}

/** Why a patch does not pass, one line each; empty where it passes. */
export function problemsOf({ verdict, expected, minimum }: PatchReport): string[] {
  const problems: string[] = [];
  if (minimum !== undefined && !meetsShare(verdict.counts, minimum)) {
    const { lines, covered } = patchShare(verdict.counts);
    problems.push(
      lines === 0
        ? `No changed line can be covered in this kernel: --min-patch-lines ${minimum} checks nothing`
        : `${covered} of ${plural(lines, "changed line")} covered (${
          ((100 * covered) / lines).toFixed(2)
        } %), below --min-patch-lines ${minimum}`,
    );
  }
  const missing = expected === undefined
    ? 0
    : expected.tests.absent.length + expected.tests.unfinished.length;
  if (missing > 0) {
    problems.push(
      `${plural(missing, "test")} that the change needs did not run, or not to the end`,
    );
  }
  return problems;
}

/** The verdict in a line: `3 of 4 changed lines covered (75.0 %); 12 not in the tested kernel`. */
export function headline({ verdict: { counts } }: PatchReport): string {
  const { lines, covered } = patchShare(counts);
  const share = lines === 0
    ? "No changed line can be covered in this kernel"
    : `${formatCount(covered)} of ${plural(lines, "changed line")} covered (${
      formatPercent(covered, lines)
    })`;
  const others = [
    [counts["not-built"], "not in the tested kernel"],
    [counts["not-instrumented"], "in files without coverage points"],
    [counts.unjudged, "that cannot be judged"],
  ] as const;
  return [
    share,
    ...others.filter(([count]) => count > 0).map(([count, what]) =>
      `${formatCount(count)} ${what}`
    ),
  ].join("; ");
}

/** What the run says of a span, in words. */
export function spanText({ state, beside, lines }: LineSpan): string {
  const many = lines.length > 1;
  const which = beside
    ? many ? "the lines beside what is inserted" : "the line beside what is inserted"
    : many
    ? "these changed lines"
    : "this changed line";
  switch (state) {
    case "covered":
      return `Tests run ${which}`;
    case "partial":
      return `Tests run ${which} in part: some ways through ${many ? "them" : "it"} are not taken`;
    case "uncovered":
      return `No test runs ${which}`;
    case "no-code":
      return `No coverage point is on ${which}`;
    case "not-instrumented":
      return `The kernel has no coverage points in this file`;
    case "not-built":
      return `The tested kernel does not have this file`;
    case "unjudged":
      return `What ${
        many ? "these lines change" : "this line changes"
      } cannot be judged by coverage`;
  }
}

/** Which lines are judged, where they are not the changed ones themselves for certain. */
export function sideText({ side, sideKnown, counts }: PatchVerdict): string | undefined {
  const judged = "the lines that it replaces, and those beside what it inserts";
  if (!sideKnown) {
    return "The kernel's sources do not say whether it was built with the patch, and it is taken to be built without it: " +
      `judged are ${judged}. Say --applied or --not-applied`;
  }
  if (side === "new" || patchShare(counts).lines === 0) return undefined;
  return `The tested kernel was built without the patch: judged are ${judged}`;
}
