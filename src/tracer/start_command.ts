import { SyscallError } from "../errors.ts";
import { syscallError } from "../sys/errno.ts";
import { cString, cStringArray } from "../sys/native_strings.ts";
import type { Libc } from "../sys/types.ts";
import { WUNTRACED } from "./tasks/constants.ts";

const POSIX_SPAWN_SETSIGDEF = 0x04;
/** Room for glibc's `posix_spawnattr_t` (336 bytes) and `sigset_t` (128). */
const ATTRIBUTE_BYTES = 512;
const SIGNAL_SET_BYTES = 128;

/** How to start a command. */
export interface CommandStart {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Signals that the command is to meet with their default action, whatever this process does with them. */
  readonly defaultSignals: readonly number[];
}

/**
 * Starts a command as a child that stops before its program runs, and returns its id when it has stopped. The
 * runtime's own way to start processes would also wait for it. A program that cannot be run ends with 126 or 127, as
 * in a shell.
 *
 * @throws {SyscallError} Where no process can be made.
 */
export function startStopped(libc: Libc, start: CommandStart): number {
  const argv = cStringArray(libc, [
    "sh",
    "-c",
    'kill -STOP $$; exec "$@"',
    "sh",
    ...start.command,
  ]);
  const environment = Object.entries(start.environment).map(([name, value]) => `${name}=${value}`);
  const envp = cStringArray(libc, environment);
  const signals = new Uint8Array(SIGNAL_SET_BYTES);
  for (const signal of start.defaultSignals) signals[(signal - 1) >> 3] |= 1 << ((signal - 1) & 7);
  const attributes = new Uint8Array(ATTRIBUTE_BYTES);
  libc.posix_spawnattr_init(attributes);
  libc.posix_spawnattr_setsigdefault(attributes, signals);
  libc.posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF);
  const pid = new Int32Array(1);
  const errno = libc.posix_spawn(
    new Uint8Array(pid.buffer),
    cString("/bin/sh"),
    null,
    attributes,
    argv.bytes,
    envp.bytes,
  );
  libc.posix_spawnattr_destroy(attributes);
  // Keeps the strings reachable until the call returned.
  if (errno !== 0 || argv.strings.length + envp.strings.length === 0) {
    throw syscallError("posix_spawn", errno, "start /bin/sh", {
      EAGAIN: "raise the limit of processes (ulimit -u)",
      otherwise: "check that /bin/sh can be run",
    });
  }
  const status = new Int32Array(1);
  const waited = libc.waitpid(pid[0], new Uint8Array(status.buffer), WUNTRACED);
  if (waited === pid[0] && (status[0] & 0xff) === 0x7f) return pid[0];
  throw new SyscallError(
    "waitpid",
    waited === -1 ? libc.errno() : 0,
    "ECHILD",
    "Cannot start the command: /bin/sh ended before it could be traced: check that it can run",
  );
}
