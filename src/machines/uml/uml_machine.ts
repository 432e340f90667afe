import { accessSync, constants, realpathSync, statSync } from "node:fs";
import { hostname } from "node:os";
import process from "node:process";
import { keepImageEntries } from "../../kernel/image_entries.ts";
import { machineName } from "../../sys/runtime.ts";
import { plainFolder } from "../../sys/plain_folder.ts";
import type { CommandEnd, GuestOptions, Machine, MachineCommand } from "../machine.ts";
import { checkGuestProgram } from "./check_program.ts";
import { guestProgram } from "./guest_programs.ts";
import { GuestProcess } from "./guest_process.ts";
import { encodeStart } from "./guest_protocol.ts";
import { GuestSession } from "./guest_session.ts";
import { explainUnsealed, hostProtection } from "./host_protection.ts";
import { isTerminal, takeSignals, takeTerminal, windowSize } from "./host_terminal.ts";
import { KernelWatch } from "./kernel_watch.ts";
import {
  chooseMemoryFolder,
  DEFAULT_MEMORY,
  memoryFolders,
  parseMemorySize,
} from "./memory_folder.ts";
import type { UmlKernel } from "./uml_kernel.ts";

/**
 * User-mode Linux: each command runs in a freshly booted guest. Problems that the guest's kernel reports, such as a
 * crash, are written to standard error, with the functions and lines that led to them.
 */
export class UmlMachine implements Machine {
  readonly #kernel: UmlKernel;
  readonly #options: GuestOptions;
  readonly discardsChanges = true;

  constructor(kernel: UmlKernel, options: GuestOptions = {}) {
    this.#kernel = kernel;
    this.#options = options;
  }

  get vmlinux(): string {
    return this.#kernel.vmlinux;
  }

  get collectors(): boolean {
    return this.#kernel.collectors;
  }

  check(command: readonly string[], env: MachineCommand["env"] = process.env): void {
    checkGuestProgram(command, env["PATH"], process.cwd());
  }

  /**
   * The command runs on a terminal of its own where all three standard streams are terminals. `KERNELCOV_VMLINUX` is set
   * to the kernel's image.
   *
   * @throws {KcovUnavailableError} The kernel cannot be started here; the message says what to change.
   * @throws {TypeError} The command is empty or a program for another machine, or a folder cannot be used.
   * @throws {RangeError} The memory is not a size, or does not fit anywhere.
   */
  async run(
    {
      command,
      env = process.env,
      stdin = process.stdin,
      stdout = process.stdout,
      stderr = process.stderr,
      ...rest
    }: MachineCommand,
  ): Promise<CommandEnd> {
    if (command.length === 0) {
      throw new TypeError("There is no command to run in the guest: name one after --");
    }
    const { vmlinux, linux, programs, own, parameters } = this.#kernel;
    keepImageEntries(vmlinux, machineName());
    const options = this.#options;
    const memoryBytes = parseMemorySize(options.memory ?? DEFAULT_MEMORY);
    const write = writableFolders(options.write ?? []);
    const cwd = realpathSync(rest.cwd ?? process.cwd());
    checkGuestProgram(command, env["PATH"], cwd);
    const onTerminal = isTerminal(stdin) && isTerminal(stdout) && isTerminal(stderr);
    const launcher = guestProgram(programs, "launcher");
    const watch = new KernelWatch(vmlinux, (text) => void stderr.write(text));
    const machine = {
      launcher,
      linux,
      init: guestProgram(programs, "init"),
      memoryBytes,
      parameters: [...parameters, ...options.parameters ?? []],
      memoryFolder: chooseMemoryFolder(memoryFolders(), memoryBytes),
      write,
      onMessages: (text: string): void => {
        if (options.dmesg) stderr.write(text);
        watch.take(text);
      },
    };
    const start = encodeStart({
      command,
      cwd,
      env: { ...env, PWD: cwd, KERNELCOV_VMLINUX: vmlinux },
      write,
      hostname: hostname(),
      ownKernel: own,
      input: stdin !== null,
      terminal: onTerminal ? windowSize(stdout) : undefined,
    });
    const session = new GuestSession(new GuestProcess(machine), start, {
      stdin,
      stdout,
      stderr,
      timeoutMs: options.timeoutMs,
      explainUnsealed: () => explainUnsealed(hostProtection(launcher)),
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
