import { spawn } from "node:child_process";
import { constants } from "node:os";
import process from "node:process";
import { kcovAvailability } from "../../kernel/kcov_availability.ts";
import { onSignals } from "../signals.ts";
import type { CommandEnd, Machine, MachineCommand } from "../machine.ts";

/** Those that may end the command, and reach this process as well. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** How long this process's own may take to be dealt with. */
const LATE_SIGNAL_MS = 200;

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
  const seen = new Set<NodeJS.Signals>();
  let arrived = (): void => {};
  // A terminal sends SIGINT to the command as well.
  const release = onSignals(SIGNALS, (signal) => {
    seen.add(signal);
    arrived();
    if (child.pid !== undefined && signal !== "SIGINT") forward(child.pid, signal);
  });
  child.on("error", (cause) => {
    release();
    reject(new TypeError(`Cannot run ${command[0]}: check that it is installed`, { cause }));
  });
  child.on("close", async (code, signal) => {
    const end = signal ?? SIGNALS.find((name) => code === 128 + constants.signals[name]);
    // Deno looks whether a signal is listened to when a thread of its own gets to it, which may be after the command has
    // ended by the same Ctrl-C: this process would end by it then.
    if (end !== null && end !== undefined && !seen.has(end)) {
      await new Promise<void>((resolve) => {
        arrived = resolve;
        setTimeout(resolve, LATE_SIGNAL_MS);
      });
    }
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
