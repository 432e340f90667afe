import process from "node:process";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { runtimeName } from "../../src/sys/runtime.ts";
import { timeLimit } from "./limits/time_limit.ts";
import { spawnSync } from "./spawn_sync.ts";

const CONFIG = fileURLToPath(new URL("../../deno.json", import.meta.url));

/** What a test command left. */
export interface TestRun {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs test files with this runtime's own test runner, in a process of its own. */
export function runTests(
  paths: readonly string[],
  environment: Readonly<Record<string, string>>,
  options: {
    readonly flags?: readonly string[];
    readonly cwd?: string;
    /** Deno's; all by default. */
    readonly permissions?: readonly string[];
  } = {},
): TestRun {
  const { flags = [], cwd, permissions = ["-A"] } = options;
  // Outside the checkout's folder, Deno does not find by itself what "kernelcov" stands for.
  const command = runtimeName() === "deno"
    ? ["test", ...permissions, "--no-prompt", "--no-check", "--config", CONFIG]
    : ["test", "--timeout", String(timeLimit(5000))];
  const {
    KERNELCOV_RUN: _run,
    KERNELCOV_RUN_ID: _id,
    KERNELCOV: _mode,
    KERNELCOV_WORDS: _words,
    ...inherited
  } = process.env;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...command, ...flags, ...paths],
    { cwd, env: { ...inherited, NO_COLOR: "1", ...environment }, encoding: "utf8" },
  );
  return {
    status,
    stdout: stripVTControlCharacters(stdout),
    stderr: stripVTControlCharacters(stderr),
  };
}
