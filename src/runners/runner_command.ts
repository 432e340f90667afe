import { basename } from "node:path";
import { findRunner } from "../tracer/runners/runner_arguments.ts";
import type { SupervisorRuntime } from "../tracer/supervised_command.ts";
import { RUNNERS } from "./all_runners.ts";
import type { Runner } from "./runner.ts";

/** A test command with the preload of its runner. */
export interface RunnerCommand {
  /** The runner found; `null` where the command is none, or starts one that cannot be seen from outside. */
  readonly runner: Runner | null;
  readonly command: readonly string[];
}

/** Programs that run what follows their own options. */
const PREFIXES = new Set("env npx bunx nice nohup time command".split(" "));
/** Their options that take a value of their own. */
const VALUED = new Set("-u --unset -C --chdir -n --package -p".split(" "));

/**
 * Adds the preload that covers every test to a command that runs a test runner, also behind `npx`, `env NAME=value` and
 * the like. What a shell or a script starts is the supervisor's to find.
 *
 * @param report Where the runner is to write its report, unless the command asks for one itself.
 */
export function withPreload(command: readonly string[], report?: string): RunnerCommand {
  return withArguments(command, report, ({ preloadArguments }) => preloadArguments);
}

/** Has the runner of such a command write its report to `report` too, unless the command asks for one itself. */
export function withReport(command: readonly string[], report: string): readonly string[] {
  return withArguments(command, report, () => []).command;
}

/**
 * A command that runs only some of what this one does: what its runner is told in place of the test files and folders
 * that the command names.
 *
 * @param isTests whether an argument names tests
 * @returns `undefined` where no runner is seen from outside
 */
export function withTests(
  command: readonly string[],
  isTests: (argument: string) => boolean,
  told: (runner: Runner) => readonly string[],
): readonly string[] | undefined {
  const program = programIndex(command);
  const args = command.slice(program + 1);
  const found = program < 0 ? null : findRunner(RUNNERS, command[program], args);
  if (found === null) return undefined;
  const at = program + 1 + found.at;
  const end = command.indexOf("--", at) < 0 ? command.length : command.indexOf("--", at);
  const options = command.slice(at, end).filter((argument) =>
    argument.startsWith("-") || !isTests(argument)
  );
  return [...command.slice(0, at), ...options, ...told(found.program), ...command.slice(end)];
}

function withArguments(
  command: readonly string[],
  report: string | undefined,
  added: (runner: Runner) => readonly string[],
): RunnerCommand {
  const program = programIndex(command);
  const found = program < 0
    ? null
    : findRunner(RUNNERS, command[program], command.slice(program + 1));
  if (found === null) return { runner: null, command };
  const at = program + 1 + found.at;
  const before = command.slice(0, at), after = command.slice(at);
  const { program: runner } = found;
  const asked = report === undefined || after.some((arg) => runner.reportArgument.test(arg));
  const reporting = asked ? [] : runner.reportArguments(report);
  return { runner, command: [...before, ...added(runner), ...reporting, ...after] };
}

/**
 * The runtime for a command's supervisor where another than this process's is better: that of a runner which starts
 * faster, where the command begins with it.
 */
export function supervisorRuntime(command: readonly string[]): SupervisorRuntime | undefined {
  const [program] = command;
  const { runner } = withPreload(command);
  return runner?.supervisor !== undefined && basename(program, ".exe") === runner.name
    ? { name: runner.supervisor, program }
    : undefined;
}

/** Index of the program that runs in the end, behind prefixes, their options and assignments; -1 where there is none. */
function programIndex(command: readonly string[]): number {
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
