import * as childProcess from "node:child_process";
import process from "node:process";
import { runtimeName } from "../../src/sys/runtime.ts";

/**
 * `spawnSync` of `node:child_process` with the environment that it is given, and no more: Deno's adds that to this
 * process's own.
 */
export function spawnSync(
  program: string,
  args: readonly string[],
  options: childProcess.SpawnSyncOptionsWithStringEncoding,
): childProcess.SpawnSyncReturns<string> {
  const left = runtimeName() === "deno" ? variablesLeft(options.env ?? process.env) : [];
  if (left.length === 0) return childProcess.spawnSync(program, args, options);
  const unset = left.flatMap((name) => ["-u", name]);
  return childProcess.spawnSync("/usr/bin/env", [...unset, program, ...args], options);
}

/** Variables of this process that an environment lacks. */
function variablesLeft(env: NodeJS.ProcessEnv): string[] {
  return Object.keys(process.env).filter((name) => env[name] === undefined);
}
