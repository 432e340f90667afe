import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import {
  preloadArguments,
  type RunnerArguments,
  runnerArguments,
} from "../tracer/runners/runner_arguments.ts";
import type { Preloads } from "../tracer/runners/runner_preloader.ts";
import { asksForReport, reportOptions } from "./runner_report.ts";
import type { SupervisorRuntime } from "../tracer/supervised_command.ts";

/** A test command with the preload of its runner. */
export interface RunnerCommand {
  /** The runner found; `null` where the command is none, or starts one that cannot be seen from outside. */
  readonly runner: "deno" | "bun" | null;
  readonly command: readonly string[];
}

/** Programs that run what follows their own options. */
const PREFIXES: ReadonlySet<string> = new Set([
  "env",
  "npx",
  "bunx",
  "nice",
  "nohup",
  "time",
  "command",
]);
/** Their options that take a value of their own. */
const VALUED: ReadonlySet<string> = new Set([
  "-u",
  "--unset",
  "-C",
  "--chdir",
  "-n",
  "--package",
  "-p",
]);
/**
 * Adds the preload that covers every test to a command that runs `deno test` or `bun test`, also behind `npx`, `env
 * NAME=value` and the like. What a shell or a script starts is the supervisor's to find.
 *
 * @param report Where the runner shall write its report too, unless the command asks for one itself.
 */
export function withPreload(command: readonly string[], report?: string): RunnerCommand {
  const found = findRunner(command);
  if (found === null) return { runner: null, command };
  const { runner } = found;
  return {
    runner,
    command: inserted(command, found, [
      ...preloadArguments(runner, preloadPath(runner)),
      ...reportArguments(command, found, report),
    ]),
  };
}

/** Has the runner of such a command write its report to `report` too, unless the command asks for one itself. */
export function withReport(command: readonly string[], report: string): readonly string[] {
  const found = findRunner(command);
  return found === null
    ? command
    : inserted(command, found, reportArguments(command, found, report));
}

/** Finds the runner; `at` is the index in the command behind its word `test`. */
function findRunner(command: readonly string[]): RunnerArguments | null {
  const at = runnerIndex(command);
  const found = at < 0 ? null : runnerArguments(command[at], command.slice(at + 1));
  return found && { runner: found.runner, at: at + 1 + found.at };
}

function inserted(
  command: readonly string[],
  { at }: RunnerArguments,
  words: readonly string[],
): string[] {
  return [...command.slice(0, at), ...words, ...command.slice(at)];
}

function reportArguments(
  command: readonly string[],
  { runner, at }: RunnerArguments,
  report: string | undefined,
): string[] {
  return report === undefined || asksForReport(runner, command.slice(at))
    ? []
    : reportOptions(runner, report);
}

/**
 * The runtime for a command's supervisor where another than this process's is better: Bun starts in a third of Deno's
 * time, and a command that begins with `bun` has it.
 */
export function supervisorRuntime(command: readonly string[]): SupervisorRuntime | undefined {
  const [program] = command;
  return withPreload(command).runner === "bun" && basename(program, ".exe") === "bun"
    ? { name: "bun", program }
    : undefined;
}

/** Paths of the modules that cover every test of a runner. */
export function preloadPaths(): Preloads {
  return { deno: preloadPath("deno"), bun: preloadPath("bun") };
}

/** Path of the module that covers every test of a runner. */
export function preloadPath(runner: "deno" | "bun"): string {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return fileURLToPath(new URL(`./${runner}/preload.${extension}`, import.meta.url));
}

/** Index of the program that runs in the end, behind prefixes, their options and assignments; -1 where there is none. */
function runnerIndex(command: readonly string[]): number {
  let at = 0;
  while (at < command.length && PREFIXES.has(basename(command[at]))) {
    at++;
    while (at < command.length && isPrefixArgument(command[at])) {
      at += VALUED.has(command[at]) ? 2 : 1;
    }
  }
  return at < command.length ? at : -1;
}

function isPrefixArgument(argument: string): boolean {
  return argument.startsWith("-") || /^[A-Za-z_]\w*=/.test(argument);
}
