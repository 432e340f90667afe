import process from "node:process";
import { fileURLToPath } from "node:url";
import { runtimeName } from "../../src/sys/runtime.ts";
import { withPreload } from "../../src/runners/runner_command.ts";
import type { SuperviseOptions } from "../../src/tracer/supervise_options.ts";
import {
  collectHere,
  RECORDERS,
  type SupervisedRun,
  superviseHere,
  type TestRecorder,
} from "./supervised.ts";
import { timeLimit } from "./limits/time_limit.ts";

const CONFIG = fileURLToPath(new URL("../../deno.json", import.meta.url));

/** How to run a fixture. */
export interface FixtureRun {
  readonly flags?: readonly string[];
  /** Deno's; all by default. */
  readonly permissions?: readonly string[];
  /** Whether the runner's preload is added; true by default. */
  readonly preload?: boolean;
  /** Variables of its environment, beside those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** What records it; what this kernel has by default, and ptrace where it says how that supervises. */
  readonly recorder?: TestRecorder;
  readonly supervise?: Partial<SuperviseOptions>;
}

/** The command that runs test files of `tests/kernel/fixtures` with this runtime's test runner. */
export function fixtureCommand(
  names: readonly string[],
  flags: readonly string[] = [],
  permissions: readonly string[] = ["-A"],
): string[] {
  const paths = names.map((name) =>
    fileURLToPath(new URL(`../kernel/fixtures/${name}`, import.meta.url))
  );
  const runner = runtimeName() === "deno"
    ? ["test", ...permissions, "--no-prompt", "--no-check", "--config", CONFIG]
    : ["test", "--timeout", String(timeLimit(60_000))];
  return [process.execPath, ...runner, ...flags, ...paths];
}

/** Runs test files of `tests/kernel/fixtures` with this runtime's test runner, recorded in `tree` scope. */
export function runFixture(names: readonly string[], options: FixtureRun = {}): SupervisedRun {
  const { flags = [], permissions, preload = true, env = {}, supervise } = options;
  const { recorder = supervise === undefined ? RECORDERS[0] : "ptrace" } = options;
  const plain = fixtureCommand(names, flags, permissions);
  const command = preload ? withPreload(plain).command : plain;
  if (recorder === "collectors") return collectHere(command, { env });
  return superviseHere(command, { ...supervise, env });
}
