import process from "node:process";
import { transpileAhead } from "../../runners/deno/transpile_ahead.ts";
import {
  signalSupervised,
  supervisedCommand,
  type SupervisorRuntime,
} from "../../tracer/supervised_command.ts";
import type { SuperviseOptions } from "../../tracer/supervise_options.ts";
import { checkGuestProgram } from "../../machines/uml/check_program.ts";
import { type GuestCommand, runInKernel } from "../../machines/uml/run_kernel.ts";
import type { KernelChoice } from "./kernel_choice.ts";
import { type CommandEnd, runHere } from "../../machines/here/run_here.ts";

/** Where a supervised command runs, and how: what is not the kernel or the environment is for the embedded kernel. */
export interface SupervisedRun extends Pick<GuestCommand, "timeoutMs" | "memory" | "dmesg"> {
  readonly kernel: KernelChoice;
  /** Its environment; this process's by default. */
  readonly env?: NodeJS.ProcessEnv;
  /** What its supervisor runs in; this process's runtime by default. */
  readonly runtime?: SupervisorRuntime | undefined;
  /** Folders that it may write to, that of the records aside. */
  readonly write?: readonly string[];
}

/** Runs a command with all its threads and processes recorded. */
export async function runSupervised(
  options: SuperviseOptions,
  { kernel, env = process.env, runtime, write = [], ...guest }: SupervisedRun,
): Promise<CommandEnd> {
  const command = supervisedCommand(options, runtime);
  if (kernel === "host") return await runHere(command, env, signalSupervised);
  checkGuestProgram(options.command, env["PATH"], process.cwd());
  transpileAhead();
  return await runInKernel({
    command,
    kernel,
    env,
    write: [options.runDirectory, ...write],
    ...guest,
  });
}
