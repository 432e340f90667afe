import process from "node:process";
import { fileURLToPath } from "node:url";
import { runtimeName } from "../../src/sys/runtime.ts";
import { withPreload } from "../../src/runners/runner_command.ts";
import type { SuperviseOptions } from "../../src/tracer/supervise_options.ts";
import { type SupervisedRun, superviseHere } from "./supervised.ts";

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
  /** How it is supervised. */
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
    : ["test", "--timeout", "60000"];
  return [process.execPath, ...runner, ...flags, ...paths];
}

/** Runs test files of `tests/kernel/fixtures` with this runtime's test runner, under a supervisor. */
export function runFixture(names: readonly string[], options: FixtureRun = {}): SupervisedRun {
  const { flags = [], permissions, preload = true, env = {}, supervise = {} } = options;
  const plain = fixtureCommand(names, flags, permissions);
  return superviseHere(preload ? withPreload(plain).command : plain, { ...supervise, env });
}
