import process from "node:process";
import { fileURLToPath } from "node:url";
import { runtimeName } from "../sys/runtime.ts";
import { superviseArguments, type SuperviseOptions } from "./supervise_options.ts";
import { childrenOf } from "./tasks/process_tree.ts";

/** The runtime that a supervisor runs in. */
export interface SupervisorRuntime {
  readonly name: "deno" | "bun";
  readonly program: string;
}

/** Path of the supervisor's main module. */
export function supervisorModule(): string {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return fileURLToPath(new URL(`./supervise_main.${extension}`, import.meta.url));
}

/**
 * The command that runs another under the supervisor: a process that exits as the command does, and writes the records
 * to the run folder. It takes the place of the command, on this kernel or in an embedded one.
 *
 * @param runtime What it runs in; this process's runtime by default.
 */
export function supervisedCommand(
  options: SuperviseOptions,
  runtime: SupervisorRuntime = thisRuntime(),
): string[] {
  // Settings and .env files of the folder are the command's business: they must not change the supervisor, nor through
  // it the command's environment.
  const flags = runtime.name === "deno"
    ? ["run", "--quiet", "--allow-all", "--no-lock", "--no-config"]
    : ["--config=/dev/null", "--no-env-file", "run"];
  return [runtime.program, ...flags, supervisorModule(), ...superviseArguments(options)];
}

function thisRuntime(): SupervisorRuntime {
  return { name: runtimeName() === "deno" ? "deno" : "bun", program: process.execPath };
}

/**
 * Sends a signal to the command of a supervisor, which itself waits in the kernel and outlives what ends a command.
 *
 * @param supervisor Process id of what {@linkcode supervisedCommand} started.
 */
export function signalSupervised(supervisor: number, signal: "SIGTERM" | "SIGHUP"): void {
  for (const child of childrenOf(supervisor)) {
    try {
      process.kill(child, signal);
    } catch {
      // It ended meanwhile.
    }
  }
}
