import { realpathSync } from "node:fs";
import { hostname } from "node:os";
import process from "node:process";
import type { CommandEnd, GuestOptions, MachineCommand } from "../machine.ts";
import { encodeStart } from "./guest_protocol.ts";
import { type GuestKind, type GuestLink, GuestSession } from "./guest_session.ts";
import { isTerminal, takeSignals, takeTerminal, windowSize } from "./host_terminal.ts";
import { KernelWatch } from "./kernel_watch.ts";

/** A guest to run a command in. */
export interface GuestMachine {
  readonly kind: GuestKind;
  /** The kernel's image. */
  readonly vmlinux: string;
  readonly options: GuestOptions;
  /** Real paths of the folders that it may write to. */
  readonly write: readonly string[];
  /** Whether a kernel that cannot seal its mounts is used all the same. */
  readonly ownKernel: boolean;
  /** Folder of the host with the kernel's modules, as modprobe wants them. */
  readonly modules?: string | undefined;
  /** Variables of the command's environment besides those of every guest. */
  readonly variables?: Readonly<Record<string, string>>;
  /** One line for the user where the guest's kernel does not seal its mounts of the host's folders. */
  readonly explainUnsealed: () => string;
  /** Starts the guest; its kernel's messages go to `onMessages`. */
  readonly boot: (onMessages: (text: string) => void) => GuestLink;
}

/**
 * Boots a guest, runs a command in it, and writes problems that its kernel reports to standard error. The command runs on
 * a terminal of its own where all three standard streams are terminals. `KERNELCOV_VMLINUX` is set to the kernel's image.
 *
 * @throws {KcovUnavailableError} The guest did not start.
 * @throws {TypeError} The command is empty, or cannot be passed on.
 */
export async function runInGuest(
  {
    command,
    env = process.env,
    stdin = process.stdin,
    stdout = process.stdout,
    stderr = process.stderr,
    ...rest
  }: MachineCommand,
  guest: GuestMachine,
): Promise<CommandEnd> {
  if (command.length === 0) {
    throw new TypeError("There is no command to run in the guest: name one after --");
  }
  const { vmlinux, options, write, kind } = guest;
  const cwd = realpathSync(rest.cwd ?? process.cwd());
  const onTerminal = isTerminal(stdin) && isTerminal(stdout) && isTerminal(stderr);
  const watch = new KernelWatch(vmlinux, (text) => void stderr.write(text));
  const start = encodeStart({
    command,
    cwd,
    env: { ...env, ...guest.variables, PWD: cwd, KERNELCOV_VMLINUX: vmlinux },
    write,
    hostname: hostname(),
    ownKernel: guest.ownKernel,
    input: stdin !== null,
    terminal: onTerminal ? windowSize(stdout) : undefined,
    modules: guest.modules,
  });
  const link = guest.boot((text) => {
    if (options.dmesg) stderr.write(text);
    watch.take(text);
  });
  const session = new GuestSession(link, start, {
    kind,
    stdin,
    stdout,
    stderr,
    timeoutMs: options.timeoutMs,
    explainUnsealed: guest.explainUnsealed,
  });
  const release = onTerminal ? takeTerminal(stdin, stdout, session) : takeSignals(session);
  let result: CommandEnd;
  try {
    result = await session.result();
  } finally {
    watch.close();
    release();
  }
  // The terminal is this process's again.
  await watch.finish(result.end === "crashed");
  return result;
}
