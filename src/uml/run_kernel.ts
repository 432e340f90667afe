import { accessSync, constants, realpathSync, statSync } from "node:fs";
import { hostname } from "node:os";
import process from "node:process";
import type { Readable, Writable } from "node:stream";
import { buildEmbeddedKernel } from "./build_kernel.ts";
import { checkGuestProgram } from "./guest_program.ts";
import { ensureGuestInit } from "./guest_init.ts";
import { GuestProcess } from "./guest_process.ts";
import { encodeStart } from "./guest_protocol.ts";
import { type GuestResult, GuestSession } from "./guest_session.ts";
import { isTerminal, takeSignals, takeTerminal, windowSize } from "./host_terminal.ts";
import type { KernelFolder } from "./kernel_folder.ts";
import { chooseMemoryFolder, memoryFolders, parseMemorySize } from "./memory_folder.ts";

export type { GuestEnd, GuestResult } from "./guest_session.ts";

/** A command for {@linkcode runInKernel}. */
export interface GuestCommand {
  /** Program and arguments; the program is looked for in `PATH` of `env`. */
  readonly command: readonly string[];
  /** The kernel to run it in; the embedded one by default. */
  readonly kernel?: KernelFolder;
  /** Folder to run it in; the current one by default. */
  readonly cwd?: string;
  /** Its whole environment; this process's by default. `KERNELCOV_VMLINUX` is set to the kernel's image. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Folders of the host that it may write to. All other changes stay in the guest and are lost with it. */
  readonly write?: readonly string[];
  /** Time limit, from the command's start. */
  readonly timeoutMs?: number;
  /** The guest's memory, such as `2G`, the default. */
  readonly memory?: string;
  /** Its standard input: this process's by default, `null` for none. */
  readonly stdin?: Readable | null;
  readonly stdout?: Writable;
  readonly stderr?: Writable;
  /** Run it on a terminal of its own. By default where all three standard streams are terminals. */
  readonly terminal?: boolean;
}

/**
 * Runs one command in a freshly booted embedded kernel, which is built first where it is not there.
 *
 * @throws {KcovUnavailableError} the kernel cannot be built or started here, or it crashed; the message says what to change.
 * @throws {TypeError} the command is empty or a program for another machine, or a folder cannot be used.
 * @throws {RangeError} the memory is no size, or fits nowhere.
 */
export async function runInKernel(command: GuestCommand): Promise<GuestResult> {
  const {
    stdin = process.stdin,
    stdout = process.stdout,
    stderr = process.stderr,
    env = process.env,
  } = command;
  if (command.command.length === 0) {
    throw new TypeError("There is no command to run in the guest: name one behind --");
  }
  const memoryBytes = parseMemorySize(command.memory ?? "2G");
  const write = writableFolders(command.write ?? []);
  const cwd = realpathSync(command.cwd ?? process.cwd());
  checkGuestProgram(command.command, env["PATH"], cwd);
  const onTerminal = command.terminal ??
    (isTerminal(stdin) && isTerminal(stdout) && isTerminal(stderr));
  const folder = command.kernel ?? await buildEmbeddedKernel();
  const machine = {
    linux: folder.linux,
    init: ensureGuestInit(folder),
    memoryBytes,
    memoryFolder: chooseMemoryFolder(memoryFolders(), memoryBytes),
  };
  const start = encodeStart({
    command: command.command,
    cwd,
    env: { ...definedOnly(env), PWD: cwd, KERNELCOV_VMLINUX: folder.vmlinux },
    write,
    hostname: hostname(),
    input: stdin !== null,
    terminal: onTerminal ? windowSize(stdout) : undefined,
  });
  const session = new GuestSession(new GuestProcess(machine), start, {
    stdin,
    stdout,
    stderr,
    timeoutMs: command.timeoutMs,
  });
  const release = onTerminal ? takeTerminal(stdin, stdout, session) : takeSignals(session);
  try {
    return await session.result();
  } finally {
    release();
  }
}

function definedOnly(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** Real paths of the folders, outer ones first: mounted in this order none hides another. */
function writableFolders(paths: readonly string[]): string[] {
  return [...new Set(paths.map(writableFolder))].sort();
}

function writableFolder(path: string): string {
  let real: string;
  try {
    real = realpathSync(path);
    accessSync(real, constants.W_OK);
  } catch (cause) {
    throw new TypeError(
      `The guest cannot write to ${path}: make that folder first, and check that you may write to it`,
      { cause },
    );
  }
  if (!statSync(real).isDirectory()) {
    throw new TypeError(`The guest cannot write to ${path}: name the folder that it is in`);
  }
  if (real === "/") {
    throw new TypeError("The guest may not write to all of /: name the folders that it needs");
  }
  return real;
}
