import process from "node:process";
import { signalSupervised, supervisedCommand } from "../tracer/supervised_command.ts";
import type { SuperviseOptions } from "../tracer/supervise_options.ts";
import { runInKernel } from "../uml/run_kernel.ts";
import type { KernelChoice } from "./kernel_choice.ts";
import { runHere } from "./run_here.ts";

/** Where a supervised command runs, and how. */
export interface SupervisedRun {
  readonly kernel: KernelChoice;
  /** Its environment; this process's by default. */
  readonly env?: NodeJS.ProcessEnv;
  /** In the embedded kernel: folders that it may write to, that of the records aside. */
  readonly write?: readonly string[];
  /** In the embedded kernel: the time limit. */
  readonly timeoutMs?: number | undefined;
  /** In the embedded kernel: its memory. */
  readonly memory?: string | undefined;
}

/** Runs a command with all its threads and processes recorded, and returns its exit status. */
export async function runSupervised(
  options: SuperviseOptions,
  { kernel, env = process.env, write = [], timeoutMs, memory }: SupervisedRun,
): Promise<number> {
  const command = supervisedCommand(options);
  if (kernel === "host") return await runHere(command, env, signalSupervised);
  const { exitStatus } = await runInKernel({
    command,
    env,
    write: [options.runDirectory, ...write],
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(memory === undefined ? {} : { memory }),
  });
  return exitStatus;
}
