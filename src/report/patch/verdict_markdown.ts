import { NOTHING_LEFT_OUT } from "../../coverage/origin_selection.ts";
import { type LineCounts, patchShare } from "../../coverage/patch/patch_verdict.ts";
import type { RunCoverage } from "../../coverage/run_coverage.ts";
import { leftOutText } from "../origins/left_out_text.ts";
import { formatRanges } from "../line_ranges.ts";
import { testLabel } from "../test_label.ts";
import { formatPercent, plural, printable } from "../text_style.ts";
import { headline, lineSpans, type PatchReport, problemsOf, sideText } from "./patch_report.ts";
import { STATES } from "./verdict_text.ts";

/** Code lines and tests that are shown; GitHub takes 1 MiB for a summary, GitLab as much for a note. */
const MAX_SPANS = 40;
const MAX_SPAN_LINES = 12;
const MAX_TESTS = 200;

/** The verdict on a patch in GitHub's and GitLab's Markdown, for a job summary or a note. */
export function verdictMarkdown(report: PatchReport): string {
  const { verdict, coverage } = report;
  const { answer } = verdict;
  const aside = sideText(verdict);
  const problems = problemsOf(report);
  const leftOut = leftOutText(answer.leftOut ?? NOTHING_LEFT_OUT, coverage.selection);
  const sections = [
    "## Kernel coverage of this change",
    `**${headline(report)}**`,
    ...problems.map((problem) => `❌ ${escapeMarkdown(problem)}`),
    ...aside === undefined ? [] : [`${escapeMarkdown(aside)}.`],
    filesTable(report),
    ...answer.runAll.length === 0 ? [] : [
      "These can change what any test does:\n\n" +
      answer.runAll.map(({ path, reason }) => `* ${code(path)}: ${escapeMarkdown(reason)}`).join(
        "\n",
      ),
    ],
    ...untested(report),
    ...missing(report),
    ...testsOf(report),
    ...leftOut === undefined ? [] : [escapeMarkdown(leftOut)],
  ];
  return `${sections.join("\n\n")}\n`;
}

function filesTable({ verdict: { files } }: PatchReport): string {
  const used = STATES.filter(([state]) => files.some((file) => countOf(file.lines, state) > 0));
  const head = ["file", "covered lines", ...used.map(([, words]) => words)];
  const rows = files.map((file) => {
    const counts = Object.fromEntries(
      STATES.map(([state]) => [state, countOf(file.lines, state)]),
    ) as LineCounts;
    const share = patchShare(counts);
    const note = file.uncertain ? " (line numbers are a guess)" : "";
    const why = file.reason === "" ? "" : `: ${escapeMarkdown(file.reason)}`;
    return [
      `${code(file.path)}${why}${note}`,
      formatPercent(share.covered, share.lines),
      ...used.map(([state]) => counts[state] === 0 ? "" : String(counts[state])),
    ];
  });
  const rule = head.map((_, column) => column === 0 ? "---" : "---:");
  return [head, rule, ...rows].map((row) => row.map((cell) => cell.replace(/(?<!\\)\|/g, "\\|")))
    .map((row) => `| ${row.join(" | ")} |`).join("\n");
}

function countOf(lines: readonly { readonly state: string }[], state: string): number {
  return lines.filter((line) => line.state === state).length;
}

/** The text of lines that no test runs. */
function untested({ verdict }: PatchReport): string[] {
  const spans = verdict.files.flatMap(lineSpans).filter(({ state }) => state === "uncovered");
  if (spans.length === 0) return [];
  const blocks = spans.slice(0, MAX_SPANS).map(({ path, lines, beside }) => {
    const shown = lines.slice(0, MAX_SPAN_LINES);
    const numbers = formatRanges(lines.map(({ line, newLine }) => line || newLine), ", ");
    const text = shown.map(({ line, newLine, text }) =>
      `${String(line || newLine).padStart(5)}  ${printable(text.replaceAll("\t", "        "))}`
    );
    if (shown.length < lines.length) text.push(`       … ${lines.length - shown.length} more`);
    const what = beside ? " (beside what is inserted)" : "";
    return `${code(`${path}:${numbers}`)}${what}\n\n${fenced(text.join("\n"))}`;
  });
  const more = spans.length - blocks.length;
  return [
    "### No test runs these lines",
    ...blocks,
    ...more > 0 ? [`… and ${plural(more, "place")} more.`] : [],
  ];
}

function missing({ expected }: PatchReport): string[] {
  if (expected === undefined) return [];
  const { absent, unfinished, needed } = expected.tests;
  const count = absent.length + unfinished.length;
  if (count === 0) {
    return [`All ${plural(needed.length, "test")} that should have run, by the earlier run, did.`];
  }
  return [
    "### Should have run, and did not",
    testList(
      expected.coverage,
      [...absent, ...unfinished],
      (test) => unfinished.includes(test) ? " did not end" : "",
    ),
  ];
}

function testsOf({ coverage, verdict: { answer } }: PatchReport): string[] {
  const tests = answer.tests.map(({ test }) => test);
  const ended = (test: number): string => {
    const { outcome } = coverage.tests[test].record;
    return outcome === "passed" ? "" : ` **${outcome}**`;
  };
  return [
    ...tests.length === 0 ? ["No test of this run is for the change."] : [
      folded(`${plural(tests.length, "test")} for this change`, testList(coverage, tests, ended)),
    ],
    ...answer.incomplete.length === 0 ? [] : [
      folded(
        `${
          plural(answer.incomplete.length, "test")
        } more may be for it: their coverage is not whole`,
        testList(coverage, answer.incomplete, ended),
      ),
    ],
  ];
}

function testList(
  coverage: RunCoverage,
  tests: readonly number[],
  note: (test: number) => string,
): string {
  const rows = tests.slice(0, MAX_TESTS).map((test) =>
    `* ${code(testLabel(coverage, test))}${note(test)}`
  );
  if (tests.length > MAX_TESTS) rows.push(`* … ${tests.length - MAX_TESTS} more`);
  return rows.join("\n");
}

function folded(summary: string, body: string): string {
  return `<details><summary>${summary}</summary>\n\n${body}\n\n</details>`;
}

/** Text as code: the fence is longer than any in it. */
function code(text: string): string {
  const safe = printable(text);
  const longest = Math.max(0, ...[...safe.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return longest === 0 ? `${fence}${safe}${fence}` : `${fence} ${safe} ${fence}`;
}

function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}c\n${text}\n${fence}`;
}

function escapeMarkdown(text: string): string {
  return printable(text).replace(/[\\`*_[\]<>|#@&]/g, (character) => `\\${character}`);
}
