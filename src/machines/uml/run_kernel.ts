import { accessSync, constants, realpathSync, statSync } from "node:fs";
import { hostname } from "node:os";
import process from "node:process";
import type { Readable, Writable } from "node:stream";
import { plainFolder } from "../../sys/plain_folder.ts";
import { buildEmbeddedKernel } from "../../build/build_kernel.ts";
import { checkGuestProgram } from "./check_program.ts";
import { ensureGuestInit, ensureLauncher } from "./guest_programs.ts";
import { GuestProcess } from "./guest_process.ts";
import { encodeStart } from "./guest_protocol.ts";
import { type GuestResult, GuestSession } from "./guest_session.ts";
import { explainUnsealed, hostProtection } from "./host_protection.ts";
import { isTerminal, takeSignals, takeTerminal, windowSize } from "./host_terminal.ts";
import { KernelWatch } from "./kernel_watch.ts";
import type { KernelFolder } from "../../build/kernel_folder.ts";
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
  /** Parameters for the kernel's command line, such as `um_fault_around=0`. */
  readonly parameters?: readonly string[];
  /** Its standard input: this process's by default, `null` for none. */
  readonly stdin?: Readable | null;
  readonly stdout?: Writable;
  readonly stderr?: Writable;
  /** Whether the kernel's messages go to `stderr` as they come. */
  readonly dmesg?: boolean;
  /** Run it on a terminal of its own. By default where all three standard streams are terminals. */
  readonly terminal?: boolean;
}

/**
 * Runs one command in a freshly booted embedded kernel, which is built first where it is not there. What the kernel
 * complains of, a crash first of all, is written to `stderr`, with the functions and lines that led to it.
 *
 * @throws {KcovUnavailableError} the kernel cannot be built or started here; the message says what to change.
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
  const launcher = ensureLauncher(folder);
  const watch = new KernelWatch(folder.vmlinux, (text) => void stderr.write(text));
  const machine = {
    launcher,
    linux: folder.linux,
    init: ensureGuestInit(folder),
    memoryBytes,
    parameters: [...folder.parameters ?? [], ...command.parameters ?? []],
    memoryFolder: chooseMemoryFolder(memoryFolders(), memoryBytes),
    write,
    onMessages: (text: string): void => {
      if (command.dmesg) stderr.write(text);
      watch.take(text);
    },
  };
  const start = encodeStart({
    command: command.command,
    cwd,
    env: { ...definedOnly(env), PWD: cwd, KERNELCOV_VMLINUX: folder.vmlinux },
    write,
    hostname: hostname(),
    ownKernel: folder.own === true,
    input: stdin !== null,
    terminal: onTerminal ? windowSize(stdout) : undefined,
  });
  const session = new GuestSession(new GuestProcess(machine), start, {
    stdin,
    stdout,
    stderr,
    timeoutMs: command.timeoutMs,
    explainUnsealed: () => explainUnsealed(hostProtection(launcher)),
  });
  const release = onTerminal ? takeTerminal(stdin, stdout, session) : takeSignals(session);
  let result: GuestResult;
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

function definedOnly(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** Real paths of the folders. One inside another is left out: mounted twice, each would see the other's changes late. */
function writableFolders(paths: readonly string[]): string[] {
  const folders = [...new Set(paths.map(writableFolder))];
  return folders.filter((folder) => !folders.some((outer) => folder.startsWith(`${outer}/`)))
    .sort();
}

function writableFolder(path: string): string {
  let real: string;
  try {
    real = plainFolder(path);
    accessSync(real, constants.W_OK);
  } catch (cause) {
    if (cause instanceof TypeError) throw cause;
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
