import { spawn } from "node:child_process";
import { constants } from "node:os";
import process from "node:process";
import { kcovAvailability } from "../../kernel/kcov_availability.ts";
import { onSignals } from "../signals.ts";
import type { CommandEnd, Machine, MachineCommand } from "../machine.ts";

/** This machine, with its running kernel. Ctrl-C reaches the command too, which decides what to do. */
export const HERE: Machine = {
  vmlinux: undefined,
  get collectors() {
    return kcovAvailability().collectors;
  },
  discardsChanges: false,
  check() {},
  run,
};

function run(
  {
    command,
    cwd,
    env = process.env,
    stdin,
    stdout,
    stderr,
    forward = (pid, signal) => void process.kill(pid, signal),
  }: MachineCommand,
): Promise<CommandEnd> {
  const { promise, resolve, reject } = Promise.withResolvers<CommandEnd>();
  const child = spawn(command[0], command.slice(1), {
    cwd,
    env: { ...env },
    stdio: [
      stdin === undefined ? "inherit" : stdin === null ? "ignore" : "pipe",
      stdout === undefined ? "inherit" : "pipe",
      stderr === undefined ? "inherit" : "pipe",
    ],
  });
  // The command need not read all of its input.
  child.stdin?.on("error", () => {});
  if (child.stdin !== null) stdin?.pipe(child.stdin);
  if (stdout !== undefined) child.stdout?.pipe(stdout, { end: false });
  if (stderr !== undefined) child.stderr?.pipe(stderr, { end: false });
  // A terminal sends SIGINT to the command as well.
  const release = onSignals(["SIGINT", "SIGTERM", "SIGHUP"], (signal) => {
    if (child.pid !== undefined && signal !== "SIGINT") forward(child.pid, signal);
  });
  child.on("error", (cause) => {
    release();
    reject(new TypeError(`Cannot run ${command[0]}: check that it is installed`, { cause }));
  });
  child.on("close", (code, signal) => {
    release();
    resolve(
      signal === null ? { exitStatus: code ?? 1, end: "exited", cut: undefined } : {
        exitStatus: 128 + constants.signals[signal],
        end: "exited",
        cut: `The command was ended by ${signal}`,
      },
    );
  });
  return promise;
}
