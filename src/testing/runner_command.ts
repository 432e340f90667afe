import { basename } from "node:path";
import { fileURLToPath } from "node:url";
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
/** Options of the runners, before the word `test`, that take a value of their own. */
const RUNNER_VALUED: ReadonlySet<string> = new Set([
  "--cwd",
  "-c",
  "--config",
  "-L",
  "--log-level",
]);

/**
 * Adds the preload that covers every test to a command that runs `deno test` or `bun test`, also behind `npx`, `env
 * NAME=value` and the like. What a shell or a script starts is not looked into.
 *
 * @param report Where the runner shall write its report too, unless the command asks for one itself.
 */
export function withPreload(command: readonly string[], report?: string): RunnerCommand {
  const at = runnerIndex(command);
  // npm's package of Bun names its program bun.exe on every system.
  const runner = at < 0 ? "" : basename(command[at], ".exe");
  if (runner !== "deno" && runner !== "bun") return { runner: null, command };
  const test = subcommandIndex(command, at + 1);
  if (command[test] !== "test") return { runner: null, command };
  const preload = runner === "deno"
    ? [`--preload=${preloadPath("deno")}`]
    : ["--preload", preloadPath("bun")];
  const rest = command.slice(test + 1);
  const options = report === undefined || asksForReport(runner, rest)
    ? []
    : reportOptions(runner, report);
  return { runner, command: [...command.slice(0, test + 1), ...preload, ...options, ...rest] };
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

/** Path of the module that covers every test of a runner. */
export function preloadPath(runner: "deno" | "bun"): string {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return fileURLToPath(new URL(`./preload_${runner}.${extension}`, import.meta.url));
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

function subcommandIndex(command: readonly string[], from: number): number {
  let at = from;
  while (at < command.length && command[at].startsWith("-")) {
    at += RUNNER_VALUED.has(command[at]) ? 2 : 1;
  }
  return at;
}
