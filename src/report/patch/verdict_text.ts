import { formatRanges } from "../line_ranges.ts";
import { testLabel } from "../test_label.ts";
import { paint, PLAIN_STYLE, plural, printable, type TextStyle } from "../text_style.ts";
import { leftOutText } from "../origins/left_out_text.ts";
import { NOTHING_LEFT_OUT } from "../../coverage/origin_selection.ts";
import { headline, type PatchReport, problemsOf, sideText } from "./patch_report.ts";

/** What each state is called, in the order of interest. */
export const STATES = [
  ["uncovered", "no test runs", "red"],
  ["partial", "run in part", "yellow"],
  ["covered", "covered", "green"],
  ["not-instrumented", "in a file without coverage points", "yellow"],
  ["not-built", "not in the tested kernel", "yellow"],
  ["unjudged", "cannot be judged", "yellow"],
  ["no-code", "without code of their own", "dim"],
] as const;

/** The verdict on a patch for a terminal. */
export function verdictText(report: PatchReport, style: TextStyle = PLAIN_STYLE): string {
  const { coverage, verdict, expected } = report;
  const { files, answer } = verdict;
  const out = [paint(headline(report), "bold", style)];
  const aside = sideText(verdict);
  if (aside !== undefined) out.push(`  ${aside}`);
  for (const file of files) {
    out.push(paint(printable(file.path), "bold", style));
    if (file.uncertain) {
      out.push(
        `  ${
          paint(
            "the source at hand does not hold all hunks: line numbers are a guess",
            "yellow",
            style,
          )
        }`,
      );
    }
    for (const [state, words, color] of STATES) {
      const found = file.lines.filter((line) => line.state === state);
      if (found.length === 0) continue;
      const numbers = [...new Set(found.map(({ line, newLine }) => line || newLine))]
        .sort((a, b) => a - b);
      out.push(`  ${paint(words, color, style)}: ${formatRanges(numbers, ", ")}`);
    }
    if (file.reason !== "") out.push(`  ${printable(file.reason)}`);
    else if (file.lines.length === 0) out.push("  no code changed");
  }
  if (answer.runAll.length > 0) {
    out.push(paint("These can change what any test does:", "yellow", style));
    for (const { path, reason } of answer.runAll) out.push(printable(`  ${path}: ${reason}`));
  }
  out.push(paint(`${plural(answer.tests.length, "test")} for it`, "bold", style));
  for (const { test } of answer.tests) {
    const { outcome } = coverage.tests[test].record;
    const ended = outcome === "passed" ? "" : `  ${paint(outcome, "red", style)}`;
    out.push(`  ${testLabel(coverage, test)}${ended}`);
  }
  if (answer.incomplete.length > 0) {
    out.push(
      paint(
        "Their coverage is not whole (truncated or failed), so they may be for it too:",
        "yellow",
        style,
      ),
    );
    for (const test of answer.incomplete) out.push(`  ${testLabel(coverage, test)}`);
  }
  const leftOut = leftOutText(answer.leftOut ?? NOTHING_LEFT_OUT, coverage.selection);
  if (leftOut !== undefined) out.push(`  ${leftOut}`);
  if (expected !== undefined) {
    const { absent, unfinished, needed } = expected.tests;
    out.push(
      paint(`${plural(needed.length, "test")} should have run, by the earlier run`, "bold", style),
    );
    for (const test of absent) {
      out.push(`  ${paint("did not run", "red", style)}  ${testLabel(expected.coverage, test)}`);
    }
    for (const test of unfinished) {
      out.push(`  ${paint("did not end", "red", style)}  ${testLabel(expected.coverage, test)}`);
    }
  }
  for (const problem of problemsOf(report)) out.push(paint(problem, "red", style));
  return out.map((line) => `${line}\n`).join("");
}
