import process from "node:process";
import { untilFetched } from "../../coverage/hits/hit_source.ts";
import { missingTests } from "../../coverage/patch/missing_tests.ts";
import { type FilePatch, parsePatch } from "../../coverage/patch/patch.ts";
import { judgePatch } from "../../coverage/patch/patch_verdict.ts";
import { whichPatch } from "../../coverage/patch/patch_tests.ts";
import { TestLookup } from "../../coverage/questions/test_lookup.ts";
import { cobertura } from "../../report/cobertura.ts";
import { githubAnnotations } from "../../report/patch/annotations.ts";
import { type PatchReport, problemsOf } from "../../report/patch/patch_report.ts";
import { patchSarif } from "../../report/patch/sarif.ts";
import { verdictJson } from "../../report/patch/verdict_json.ts";
import { verdictMarkdown } from "../../report/patch/verdict_markdown.ts";
import { verdictText } from "../../report/patch/verdict_text.ts";
import type { LoadedRun } from "../../run/load_run.ts";
import {
  type Command,
  EXIT_BELOW_THRESHOLD,
  type OptionValues,
  parseCommandLine,
  UsageError,
  warn,
} from "../command_line.ts";
import { STANDARD_OUTPUT, writeOutput } from "../output_file.ts";
import {
  openRunOf,
  openToFetch,
  printAnswer,
  QUESTION_HELP,
  QUESTION_OPTIONS,
} from "../question.ts";
import { branchPoint, gitDiff, readPatch } from "../read_patch.ts";

const { plain: _, ...QUESTIONS } = QUESTION_OPTIONS;

const OPTIONS = {
  ...QUESTIONS,
  diff: { type: "string" },
  base: { type: "string" },
  applied: { type: "boolean" },
  "not-applied": { type: "boolean" },
  earlier: { type: "string" },
  "min-patch-lines": { type: "string" },
  markdown: { type: "string" },
  annotations: { type: "string" },
  sarif: { type: "string" },
  cobertura: { type: "string" },
  folders: { type: "boolean" },
} as const;

type PatchValues = OptionValues<typeof OPTIONS>;

/** Options that name a file. */
const FILES = ["markdown", "annotations", "sarif", "cobertura"] as const;

/** GitLab reads no larger Cobertura file. */
const GITLAB_MAX_BYTES = 10 * 1024 * 1024;

/** `kernelcov patch`: what a run's tests cover of a change. */
export const patchCommand: Command = {
  help: `kernelcov patch [--base REV | --diff FILE] [OPTIONS]
    Whether the lines that a patch changes are tested: covered, run in part, run by no test, in a file without coverage
    points, or not in the tested kernel; and the tests that are for it. Best on a run of a kernel with the patch; without
    it the lines are judged that the patch replaces, and those beside what it inserts.
    --base REV      what this git tree changes since it branched off REV
    --diff FILE     a unified diff; - or neither option reads standard input
    --applied       the kernel was built with the patch; --not-applied: without it; by default found from its sources
    --earlier RUN   a run of the kernel without the patch: names the tests that should have run and did not
    --min-patch-lines PERCENT  exit status ${EXIT_BELOW_THRESHOLD} where fewer of the changed lines that can be covered are; with --earlier
                    also where a test that should have run did not
    --markdown FILE     for a job's summary or a note. Here and below - stands for standard output, in place of the text
    --annotations FILE  GitHub's workflow commands, which show what is not tested beside the changed lines
    --sarif FILE        the same for other viewers
    --cobertura FILE    the coverage of the changed files in one file; --folders: of all files in their folders
${QUESTION_HELP}`,
  run,
};

async function run(args: string[]): Promise<number> {
  const { values, operands } = parseCommandLine(args, OPTIONS);
  if (operands.length > 0) {
    throw new UsageError(
      `Unexpected "${operands[0]}": name the patch with --diff, the run with --run`,
    );
  }
  const minimum = checkOptions(values);
  const text = values.base === undefined
    ? readPatch(values.diff ?? STANDARD_OUTPUT)
    : gitDiff(branchPoint(values.base));
  const patch = parsePatch(text);
  if (patch.length === 0) warn("The patch is empty: nothing changes");
  // The Cobertura file has how often all tests ran a line.
  const open = values.cobertura === undefined ? openToFetch : openRunOf;
  const loaded = await open(values);
  const report = await reportOn(loaded, patch, values, minimum);
  await writeFiles(report, loaded, values);
  const used = FILES.some((name) => values[name] === STANDARD_OUTPUT);
  if (!used) {
    printAnswer(values, {
      json: () => verdictJson(report),
      text: (style) => verdictText(report, style),
    });
  }
  const problems = problemsOf(report);
  if (used || values.json) problems.forEach(warn);
  return problems.length === 0 ? 0 : EXIT_BELOW_THRESHOLD;
}

/** Holds the options against each other before any work is done, and returns the least share. */
function checkOptions(values: PatchValues): number | undefined {
  if (values.base !== undefined && values.diff !== undefined) {
    throw new UsageError("--base and --diff both name a patch: leave one out");
  }
  if (values.applied && values["not-applied"]) {
    throw new UsageError("--applied and --not-applied contradict each other: leave one out");
  }
  if (values.base === undefined && values.diff === undefined && process.stdin.isTTY) {
    throw new UsageError("Name a patch with --diff or --base, or pipe git diff into this command");
  }
  if (values.folders && values.cobertura === undefined) {
    throw new UsageError("--folders is for the Cobertura file: add --cobertura FILE");
  }
  const outputs = FILES.filter((name) => values[name] === STANDARD_OUTPUT).length;
  if (outputs > 1 || (outputs === 1 && values.json)) {
    throw new UsageError("Only one report can go to standard output: name a file for the others");
  }
  const least = values["min-patch-lines"];
  if (least === undefined) return undefined;
  const percent = /^(\d+(?:\.\d+)?)%?$/.exec(least)?.[1];
  if (percent === undefined || Number(percent) > 100) {
    throw new UsageError(`--min-patch-lines ${least} is not a percentage: give 0 to 100`);
  }
  return Number(percent);
}

async function reportOn(
  loaded: LoadedRun,
  patch: readonly FilePatch[],
  values: PatchValues,
  minimum: number | undefined,
): Promise<PatchReport> {
  const { coverage, sources } = loaded;
  const side = values.applied ? "new" : values["not-applied"] ? "old" : undefined;
  const lookup = new TestLookup(coverage);
  const verdict = await untilFetched(coverage, () =>
    judgePatch(lookup, patch, {
      side,
      source: (file) => sources.read(file)?.split("\n"),
    }));
  return { coverage, verdict, minimum, expected: await expectedTests(loaded, patch, values) };
}

/** What an earlier run says should have run: it may be of another kernel, so its image is looked for by itself. */
async function expectedTests(
  { coverage }: LoadedRun,
  patch: readonly FilePatch[],
  values: PatchValues,
): Promise<PatchReport["expected"]> {
  if (values.earlier === undefined) return undefined;
  const { vmlinux: _image, ...others } = values;
  const earlier = await openToFetch({ ...others, run: values.earlier });
  const lookup = new TestLookup(earlier.coverage);
  const answer = await untilFetched(earlier.coverage, () =>
    whichPatch(lookup, patch, {
      source: (file) => earlier.sources.read(file)?.split("\n"),
    }));
  return { coverage: earlier.coverage, tests: missingTests(lookup, answer, coverage) };
}

async function writeFiles(
  report: PatchReport,
  { coverage }: LoadedRun,
  values: PatchValues,
): Promise<void> {
  if (values.markdown !== undefined) await writeOutput(values.markdown, [verdictMarkdown(report)]);
  if (values.annotations !== undefined) {
    await writeOutput(values.annotations, [githubAnnotations(report)]);
  }
  if (values.sarif !== undefined) await writeOutput(values.sarif, [patchSarif(report)]);
  if (values.cobertura === undefined) return;
  const { files: names } = coverage.universe.image;
  const changed = new Set(report.verdict.files.map(({ file }) => file));
  const folders = new Set(
    report.verdict.files.filter(({ file }) => file >= 0)
      .map(({ file }) => folderOf(names[file])),
  );
  const [xml] = cobertura(coverage, {
    paths: "relative",
    timestamp: Date.now(),
    maxBytes: Infinity,
    files: (file) => values.folders ? folders.has(folderOf(names[file])) : changed.has(file),
  });
  await writeOutput(values.cobertura, [xml]);
  if (Buffer.byteLength(xml) > GITLAB_MAX_BYTES) {
    warn(`${values.cobertura} is over 10 MiB, which GitLab does not read: leave --folders out`);
  }
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1);
}
