import process from "node:process";
import { didYouMean } from "../../base/nearest_names.ts";
import { parsePatch } from "../../coverage/patch/patch.ts";
import { untilFetched } from "../../coverage/hits/hit_source.ts";
import { whichPatch } from "../../coverage/patch/patch_tests.ts";
import { repeatIndex } from "../../coverage/repeat_index.ts";
import { TestLookup } from "../../coverage/questions/test_lookup.ts";
import type { RunCoverage } from "../../coverage/run_coverage.ts";
import { findPlace, whichFiles } from "../../coverage/questions/which_files.ts";
import { whichFunction, whichLine } from "../../coverage/questions/which_tests.ts";
import { lineAnswerJson, linesAnswerJson, patchAnswerJson } from "../../report/answer_json.ts";
import {
  filesAnswerText,
  functionAnswerText,
  lineAnswerText,
  patchAnswerText,
} from "../../report/answer_text.ts";
import { printable, type TextStyle } from "../../report/text_style.ts";
import type { LoadedRun } from "../../run/load_run.ts";
import {
  openRunOf,
  openToFetch,
  printAnswer,
  printTests,
  QUESTION_HELP,
  QUESTION_OPTIONS,
} from "../question.ts";
import { gitDiff, readPatch } from "../read_patch.ts";
import {
  type Command,
  type OptionValues,
  parseCommandLine,
  UsageError,
  warn,
} from "../command_line.ts";

const OPTIONS = {
  ...QUESTION_OPTIONS,
  diff: { type: "string" },
  base: { type: "string" },
  applied: { type: "boolean" },
  filter: { type: "string" },
} as const;

type WhichValues = OptionValues<typeof OPTIONS>;

/** `kernelcov which …`. */
export const whichCommand: Command = {
  help: `kernelcov which FILE:LINE | FUNCTION | PATH…
kernelcov which --diff PATCH | --base REV
    The tests that run a line, enter a function, run any line of files, or that a patch of the kernel needs, best first.
    FILE:LINE       fs/pipe.c:441; the end of a path is enough
    FUNCTION        pipe_write, or fs/pipe.c:pipe_write
    PATH            files and folders, fs/ext4 or fs/pipe.c, and patterns: 'fs/ext*/*.c', 'net/**'
    --diff PATCH    a unified diff; - or no argument reads standard input: git diff | kernelcov which
    --base REV      git diff REV in this folder
    --applied       the kernel was built with the patch; by default found from the kernel's sources, if available
    --plain         only the tests, one a line; all tests if the patch's effect cannot be judged, with the reason
                    on standard error
    --filter RUNNER arguments that make deno or bun run these tests: kernelcov which … --filter deno | xargs -r deno test -A
${QUESTION_HELP}`,
  run,
};

async function run(args: string[]): Promise<number> {
  const { values, operands } = parseCommandLine(args, OPTIONS);
  const ways = (operands.length > 0 ? 1 : 0) + (values.diff === undefined ? 0 : 1) +
    (values.base === undefined ? 0 : 1);
  if (ways > 1) throw new UsageError("Ask for a place or for a patch, not for both");
  if (ways === 0 && process.stdin.isTTY) {
    throw new UsageError(
      "Name a line, a function, a file or a patch, or pipe git diff into this command",
    );
  }
  const patch = operands.length > 0
    ? undefined
    : values.base === undefined
    ? readPatch(values.diff ?? "-")
    : gitDiff(values.base);
  if (patch !== undefined) return await answerPatch(await openToFetch(values), patch, values);
  return await answerPlace(operands, values);
}

async function answerPlace(operands: readonly string[], values: WhichValues): Promise<number> {
  const [place] = operands as [string];
  const line = /^(.+):(\d+)$/.exec(place);
  let loaded: LoadedRun | undefined;
  if (operands.length === 1) {
    loaded = await openToFetch(values);
    const { coverage } = loaded;
    const lookup = (): TestLookup => new TestLookup(coverage);
    if (line !== null) {
      const [, file, number] = line;
      const answers = await untilFetched(
        coverage,
        () => whichLine(lookup(), file, Number(number)),
      );
      print(coverage, answers, values, lineAnswerText, lineAnswerJson);
      return 0;
    }
    const answers = await untilFetched(coverage, () => whichFunction(lookup(), place));
    if (answers.length > 0) {
      print(coverage, answers, values, functionAnswerText, linesAnswerJson);
      return 0;
    }
  }
  // It looks at all hits.
  const isWhole = loaded !== undefined && loaded.coverage.hits.source === undefined;
  answerFiles(isWhole ? loaded! : await openRunOf(values), operands, values);
  return 0;
}

/** Answers for files, folders and patterns, as one: a shell makes many files of a pattern. */
function answerFiles(loaded: LoadedRun, places: readonly string[], values: WhichValues): void {
  const { coverage, sources } = loaded;
  const files = new Set<number>();
  for (const place of places) {
    const path = sources.relative(place) ?? place;
    const found = findPlace(coverage.universe, path);
    if (found.length === 0) {
      throw new UsageError(
        `The image has no function and no file "${place}" with coverage points${
          didYouMean(place, coverage.universe.functions.name) ||
          ": check the name, or ask for FILE:LINE"
        }`,
      );
    }
    for (const file of found) files.add(file);
  }
  const ascending = [...files].sort((a, b) => a - b);
  const answer = whichFiles(coverage, places.join(" "), ascending);
  print(coverage, [answer], values, filesAnswerText, linesAnswerJson);
}

/** Prints answers as the options want them. */
function print<Answer extends { readonly tests: readonly { readonly test: number }[] }>(
  coverage: RunCoverage,
  answers: readonly Answer[],
  values: WhichValues,
  text: (coverage: RunCoverage, answer: Answer, style: TextStyle) => string,
  json: (coverage: RunCoverage, answer: Answer) => unknown,
): void {
  if (isPlain(values)) {
    printTests(coverage, distinct(answers.flatMap(({ tests }) => tests)), values.filter);
    return;
  }
  printAnswer(values, {
    json: () => answers.map((answer) => json(coverage, answer)),
    text: (style) => answers.map((answer) => text(coverage, answer, style)).join("\n"),
  });
}

async function answerPatch(
  loaded: LoadedRun,
  patch: string,
  values: WhichValues,
): Promise<number> {
  const { coverage, sources } = loaded;
  const files = parsePatch(patch);
  if (files.length === 0 && !values.json) {
    warn("The patch is empty: nothing changes, so no test is needed");
    return 0;
  }
  const lookup = new TestLookup(coverage);
  const answer = await untilFetched(coverage, () =>
    whichPatch(lookup, files, {
      source: (file) => sources.read(file)?.split("\n"),
      ...(values.applied ? { side: "new" as const } : {}),
    }));
  if (isPlain(values)) {
    if (answer.runAll.length > 0) {
      const reasons = answer.runAll.map(({ path, reason }) =>
        printable(`  ${path}: ${reason}`) + "\n"
      ).join("");
      process.stderr.write(`kernelcov: Run all tests: this cannot be judged\n${reasons}`);
      const all = [...repeatIndex(coverage).distinct(Uint32Array.from(coverage.tests.keys()))];
      printTests(coverage, all, values.filter);
      return 0;
    }
    const needed = [...answer.tests.map(({ test }) => test), ...answer.incomplete];
    printTests(coverage, needed, values.filter);
    return 0;
  }
  return printAnswer(values, {
    json: () => patchAnswerJson(coverage, answer),
    text: (style) => patchAnswerText(coverage, answer, style),
  });
}

function isPlain(values: WhichValues): boolean {
  return values.plain === true || values.filter !== undefined;
}

function distinct(tests: readonly { readonly test: number }[]): number[] {
  return [...new Set(tests.map(({ test }) => test))];
}
