import process from "node:process";
import type { CommandEnd, Machine } from "../../machines/machine.ts";
import { denoRunner } from "../../runners/deno/runner.ts";
import { transpileAhead } from "../../runners/deno/transpile_ahead.ts";
import {
  signalSupervised,
  supervisedCommand,
  supervisorModule,
  type SupervisorRuntime,
} from "../../tracer/supervised_command.ts";
import type { SuperviseOptions } from "../../tracer/supervise_options.ts";

/** Where a supervised command runs, and how. */
export interface SupervisedRun {
  /** A machine that may write to the folder of the records. */
  readonly machine: Machine;
  /** Its environment; this process's by default. */
  readonly env?: NodeJS.ProcessEnv;
  /** What its supervisor runs in; this process's runtime by default. */
  readonly runtime?: SupervisorRuntime | undefined;
}

/** Runs a command with all its threads and processes recorded. */
export async function runSupervised(
  options: SuperviseOptions,
  { machine, env = process.env, runtime }: SupervisedRun,
): Promise<CommandEnd> {
  machine.check(options.command, env);
  if (machine.discardsChanges) transpileAhead([supervisorModule(), denoRunner.preload]);
  const command = supervisedCommand(options, runtime);
  return await machine.run({ command, env, forward: signalSupervised });
}
