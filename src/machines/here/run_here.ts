import { spawn } from "node:child_process";
import { constants } from "node:os";
import process from "node:process";

/** Sends a signal that this process got on to the command; `pid` is the process that was started. */
export type ForwardSignal = (pid: number, signal: "SIGTERM" | "SIGHUP") => void;

/** How a command ended, on this kernel or in a guest. */
export interface CommandEnd {
  /** The command's, or 128 and the signal's number where a signal ended it. */
  readonly exitStatus: number;
  /** What cut it short, as a sentence without its full stop; `undefined` where it ended by itself. */
  readonly cut: string | undefined;
}

/**
 * Runs a command on this kernel, with this process's streams. Ctrl-C reaches both, and the command decides.
 *
 * @throws {TypeError} Where it cannot be started.
 */
export function runHere(
  command: readonly string[],
  env: NodeJS.ProcessEnv,
  forward: ForwardSignal = (pid, signal) => void process.kill(pid, signal),
): Promise<CommandEnd> {
  const { promise, resolve, reject } = Promise.withResolvers<CommandEnd>();
  const child = spawn(command[0], command.slice(1), { stdio: "inherit", env });
  function pass(signal: NodeJS.Signals): void {
    if (child.pid !== undefined) forward(child.pid, signal as "SIGTERM" | "SIGHUP");
  }
  function ignore(): void {}
  process.on("SIGINT", ignore);
  process.on("SIGTERM", pass);
  process.on("SIGHUP", pass);
  child.on("error", (cause) => {
    reject(new TypeError(`Cannot run ${command[0]}: check that it is installed`, { cause }));
  });
  child.on("close", (code, signal) => {
    process.off("SIGINT", ignore);
    process.off("SIGTERM", pass);
    process.off("SIGHUP", pass);
    resolve(
      signal === null ? { exitStatus: code ?? 1, cut: undefined } : {
        exitStatus: 128 + constants.signals[signal],
        cut: `The command was ended by ${signal}`,
      },
    );
  });
  return promise;
}
