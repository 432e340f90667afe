import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { stripVTControlCharacters } from "node:util";
import { COLLECTORS, RECORDER_VARIABLE } from "../../src/kcov/recorder.ts";
import { kcovAvailability } from "../../src/kernel/kcov_availability.ts";
import { readRun } from "../../src/record/read_run.ts";
import { recordFiles } from "../../src/record/run_folder.ts";
import type { TestRecord } from "../../src/record/test_record.ts";
import { supervisedCommand } from "../../src/tracer/supervised_command.ts";
import type { SuperviseOptions } from "../../src/tracer/supervise_options.ts";
import { spawnSync } from "./spawn_sync.ts";

/** What records a command. */
export type TestRecorder = "collectors" | "ptrace";

/** Those that this kernel has, the default first; `KERNELCOV_TEST_RECORDER=ptrace` leaves the other out. */
export const RECORDERS: readonly TestRecorder[] =
  process.env["KERNELCOV_TEST_RECORDER"] !== "ptrace" && kcovAvailability().collectors
    ? ["collectors", "ptrace"]
    : ["ptrace"];

/** What a recorded command left. */
export interface SupervisedRun {
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly records: readonly TestRecord[];
}

/** Options of {@linkcode superviseHere}. */
export interface SuperviseHere extends Partial<SuperviseOptions> {
  readonly cwd?: string;
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a command under a supervisor of this runtime, on this kernel, and reads its records. */
export function superviseHere(
  command: readonly string[],
  { cwd, input, env, ...rest }: SuperviseHere = {},
): SupervisedRun {
  return recordedHere((runDirectory) => {
    const options = { mode: "auto", record: false, ...rest, command, runDirectory } as const;
    return { command: supervisedCommand(options), cwd, input, env };
  });
}

/** Runs the command of a test runner whose tests record themselves with collectors, on this kernel, and reads their records. */
export function collectHere(
  command: readonly string[],
  { cwd, input, env }: Pick<SuperviseHere, "cwd" | "input" | "env"> = {},
): SupervisedRun {
  return recordedHere((runDirectory) => {
    const own = { KERNELCOV_RUN: runDirectory, [RECORDER_VARIABLE]: COLLECTORS };
    // Deno gives one of its own kind permissions that it was not asked for, wherever it finds it among arguments.
    const start = 'program=$PROGRAM; unset PROGRAM; exec "$program" "$@"';
    const [program, ...args] = command;
    const shell = ["/bin/sh", "-c", start, "sh", ...args];
    return { command: shell, cwd, input, env: { ...own, ...env, PROGRAM: program! } };
  });
}

interface PlainCommand extends Pick<SuperviseHere, "cwd" | "input" | "env"> {
  readonly command: readonly string[];
}

function recordedHere(commandFor: (runDirectory: string) => PlainCommand): SupervisedRun {
  const runDirectory = mkdtempSync(join(tmpdir(), "kernelcov-tree-"));
  try {
    const { command, cwd, input, env } = commandFor(runDirectory);
    const result = spawnSync(command[0]!, command.slice(1), {
      cwd,
      input,
      env: { ...plainEnvironment(), ...env },
      encoding: "utf8",
      maxBuffer: 1 << 26,
    });
    return {
      status: result.status,
      signal: result.signal,
      stdout: stripVTControlCharacters(result.stdout),
      stderr: stripVTControlCharacters(result.stderr),
      // A run of no tests leaves no file.
      records: recordFiles(runDirectory).length === 0 ? [] : readRun(runDirectory).records,
    };
  } finally {
    rmSync(runDirectory, { recursive: true });
  }
}

/** This process's environment without what a kernelcov around it put there. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  const {
    KERNELCOV_RUN: _run,
    KERNELCOV_RUN_ID: _id,
    KERNELCOV: _mode,
    KERNELCOV_SUPERVISOR: _supervisor,
    KERNELCOV_RECORDER: _recorder,
    ...env
  } = process.env;
  return { ...env, NO_COLOR: "1" };
}

/** The one record under this name. */
export function recordNamed(records: readonly TestRecord[], name: string): TestRecord {
  const found = records.filter((record) => record.name === name);
  if (found.length === 1) return found[0];
  const names = records.map((record) => record.name).join(", ");
  throw new RangeError(`${found.length} records are named "${name}" among: ${names}`);
}
