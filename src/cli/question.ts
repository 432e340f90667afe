import process from "node:process";
import { untilFetched } from "../coverage/hits/hit_source.ts";
import { findTests } from "../coverage/questions/find_tests.ts";
import type { RunCoverage } from "../coverage/run_coverage.ts";
import type { RepeatGroup } from "../coverage/test_repeats.ts";
import { DEFAULT_RUN_FOLDER } from "../record/run_folder.ts";
import { RUNNERS } from "../runners/all_runners.ts";
import type { Runner } from "../runners/runner.ts";
import { runnerFilter } from "../runners/runner_filter.ts";
import { testReference } from "../report/answer_json.ts";
import { testLabel } from "../report/test_label.ts";
import { plural, type TextStyle, textStyle } from "../report/text_style.ts";
import { type LoadedRun, loadRun, loadRuns } from "../run/load_run.ts";
import { ORIGIN_HELP, ORIGIN_OPTIONS, originSelectionOf } from "./origin_options.ts";
import { DRIVER_HELP, DRIVER_OPTIONS, namesStore, openStore } from "./stores/open_store.ts";
import { type OptionValues, parseCommandLine, UsageError, warn } from "./command_line.ts";

/** Options of every command that asks a run a question. */
export const QUESTION_OPTIONS = {
  run: { type: "string" },
  vmlinux: { type: "string" },
  modules: { type: "string", multiple: true },
  steady: { type: "boolean" },
  ...ORIGIN_OPTIONS,
  ...DRIVER_OPTIONS,
  json: { type: "boolean" },
  plain: { type: "boolean" },
} as const;

/** The lines of a command's help that explain {@linkcode QUESTION_OPTIONS}. */
export const QUESTION_HELP =
  `    --run DIR       the run's folder, or a store of kernelcov store; ${DEFAULT_RUN_FOLDER} by default
    --vmlinux FILE  the kernel's image with debug information
    --modules DIR   a folder with the kernel's modules; may be repeated
    --steady        leave out points that only some repeats of a test hit
${ORIGIN_HELP}${DRIVER_HELP}    --json          the whole answer as JSON
`;

/** Values of {@linkcode QUESTION_OPTIONS}. */
export type QuestionValues = OptionValues<typeof QUESTION_OPTIONS>;

/** The run that a question is about. */
export async function openRunOf(values: QuestionValues): Promise<LoadedRun> {
  const [loaded] = await openRunsOf(values, [values.run ?? DEFAULT_RUN_FOLDER]);
  return loaded;
}

/**
 * The run that a question about some of its lines or tests is about, which is asked by {@linkcode untilFetched}: of a
 * store only that is read which the question needs, as far as the options let it.
 */
export async function openToFetch(values: QuestionValues): Promise<LoadedRun> {
  const { run, steady, origin, include } = values;
  if (run === undefined || !namesStore(run) || steady || origin || include) {
    return await openRunOf(values);
  }
  const { fetchedHits } = await import("../store/fetched_hits.ts");
  const { vmlinux, modules, driver } = values;
  return await openStore(run, driver, { vmlinux, modules }, fetchedHits);
}

/** Runs that a question compares: their points and lines have the same numbers. */
export async function openRunsOf(
  values: QuestionValues,
  runs: readonly string[],
): Promise<LoadedRun[]> {
  const { vmlinux, modules, steady, driver } = values;
  const options = { vmlinux, modules, steady, selection: originSelectionOf(values) };
  if (!runs.some(namesStore)) {
    if (driver !== undefined) throw new UsageError("--driver is for stores: name one with --run");
    return loadRuns(runs, options);
  }
  const universes = new Map();
  const loaded: LoadedRun[] = [];
  for (const run of runs) {
    loaded.push(
      namesStore(run)
        ? await openStore(run, driver, { ...options, universes })
        : loadRun(run, { ...options, universes }),
    );
  }
  return loaded;
}

/** A question about a whole run, whose answer is some of its tests. */
export interface RunQuestion<Answer> {
  answer(coverage: RunCoverage): Answer;
  /** It needs few of the hits. */
  readonly fetches?: boolean;
  tests(answer: Answer): readonly number[];
  json(coverage: RunCoverage, answer: Answer): unknown;
  text(coverage: RunCoverage, answer: Answer, style: TextStyle): string;
}

/** Asks a run the question, prints the answer as the arguments want it, and returns the exit status. */
export async function askRun<Answer>(
  args: string[],
  question: RunQuestion<Answer>,
): Promise<number> {
  const { values, operands } = parseCommandLine(args, {
    ...QUESTION_OPTIONS,
    filter: { type: "string" },
  });
  if (operands.length > 0) {
    throw new UsageError(`Unexpected "${operands[0]}": name the run with --run`);
  }
  const { coverage } = await (question.fetches ? openToFetch : openRunOf)(values);
  const answer = await untilFetched(coverage, () => question.answer(coverage));
  if (values.plain || values.filter !== undefined) {
    printTests(coverage, question.tests(answer), values.filter);
    return 0;
  }
  return printAnswer(values, {
    json: () => question.json(coverage, answer),
    text: (style) => question.text(coverage, answer, style),
  });
}

/** The style of standard output. */
export function outputStyle(): TextStyle {
  return textStyle({
    isTerminal: process.stdout.isTTY === true,
    columns: process.stdout.columns,
    env: process.env,
  });
}

/** Prints a value as JSON, indented where people look at it. */
export function printJson(value: unknown): void {
  const json = JSON.stringify(value, null, process.stdout.isTTY ? 2 : 0);
  // JSON leaves these as they are, and some drive a terminal.
  const safe = json.replace(
    /[\u007f-\u009f]/g,
    (character) => `\\u00${character.charCodeAt(0).toString(16)}`,
  );
  process.stdout.write(`${safe}\n`);
}

/** An answer in the forms that {@linkcode QUESTION_OPTIONS} have; without `plain` it is printed as text. */
interface AnswerForms {
  json(): unknown;
  text(style: TextStyle): string;
  plain?(): string;
}

/** Prints an answer in the form that the options name, and returns the exit status. */
export function printAnswer({ json, plain }: QuestionValues, answer: AnswerForms): number {
  if (json) printJson(answer.json());
  else process.stdout.write(plain && answer.plain ? answer.plain() : answer.text(outputStyle()));
  return 0;
}

/** Prints one test a line, or the arguments that make a runner run them. */
export function printTests(
  coverage: RunCoverage,
  tests: readonly number[],
  filter: string | undefined,
): void {
  if (filter === undefined) {
    process.stdout.write(tests.map((test) => `${testLabel(coverage, test)}\n`).join(""));
    return;
  }
  const runner = runnerOf(filter);
  const references = tests.map((test) => testReference(coverage, test));
  // A test of another runner has a file that this one cannot run.
  const own = references.filter((test) => test.runner === undefined || test.runner === runner.name);
  const text = runnerFilter(runner, own);
  if (text !== "") process.stdout.write(`${text}\n`);
  const others = references.length - own.length;
  if (others > 0) {
    warn(
      `${plural(others, "test")} of another runner ${others === 1 ? "is" : "are"} left out: ${
        filtersOf(RUNNERS.filter((other) => other !== runner))
      } has ${others === 1 ? "it" : "them"}`,
    );
  }
}

function runnerOf(name: string): Runner {
  const runner = RUNNERS.find((known) => known.name === name);
  if (runner === undefined) {
    throw new UsageError(`Unknown runner "${name}": use ${filtersOf(RUNNERS)}`);
  }
  return runner;
}

function filtersOf(runners: readonly Runner[]): string {
  return runners.map(({ name }) => `--filter ${name}`).join(" or ");
}

/** The one test, with its repeats, that `text` means. */
export function oneTest(coverage: RunCoverage, text: string): RepeatGroup {
  const found = findTests(coverage, text);
  if (found.length === 1) return found[0];
  if (found.length === 0) {
    throw new UsageError(`No test is named "${text}": kernelcov report lists the tests`);
  }
  const names = found.slice(0, 10).map(({ tests }) => `\n  ${testLabel(coverage, tests[0])}`);
  throw new UsageError(
    `${found.length} tests have "${text}" in their name: name one of them in full:${
      names.join("")
    }`,
  );
}
