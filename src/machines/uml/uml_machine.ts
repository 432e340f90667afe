import process from "node:process";
import { keepImageEntries } from "../../kernel/image_entries.ts";
import { machineName } from "../../sys/runtime.ts";
import type { GuestKind } from "../guest/guest_session.ts";
import { guestProgram } from "../guest/guest_programs.ts";
import { explainUnsealed, hostProtection } from "../guest/host_protection.ts";
import {
  chooseMemoryFolder,
  DEFAULT_MEMORY,
  memoryFolders,
  parseMemorySize,
} from "../guest/memory_folder.ts";
import { runInGuest } from "../guest/run_in_guest.ts";
import { writableFolders } from "../guest/writable_folders.ts";
import type { CommandEnd, GuestOptions, Machine, MachineCommand } from "../machine.ts";
import { checkGuestProgram } from "./check_program.ts";
import { explainFailure, hostFacts, mapLimitHint } from "./guest_failure.ts";
import { GuestProcess } from "./guest_process.ts";
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
  async run(command: MachineCommand): Promise<CommandEnd> {
    const { vmlinux, linux, programs, own, parameters } = this.#kernel;
    keepImageEntries(vmlinux, machineName());
    const options = this.#options;
    checkProcessors(options);
    const memoryBytes = parseMemorySize(options.memory ?? DEFAULT_MEMORY);
    const write = writableFolders(options.write ?? []);
    checkGuestProgram(
      command.command,
      (command.env ?? process.env)["PATH"],
      command.cwd ?? process.cwd(),
    );
    const launcher = guestProgram(programs, "launcher");
    return await runInGuest(command, {
      vmlinux,
      write,
      options,
      ownKernel: own,
      kind: UML_GUEST,
      explainUnsealed: () => explainUnsealed(hostProtection(launcher)),
      boot: (onMessages) =>
        new GuestProcess({
          launcher,
          linux,
          init: guestProgram(programs, "init"),
          memoryBytes,
          parameters: [...parameters, ...options.parameters ?? []],
          memoryFolder: chooseMemoryFolder(memoryFolders(), memoryBytes),
          write,
          onMessages,
        }),
    });
  }
}

/**
 * Checks what is asked of a guest of user-mode Linux.
 *
 * @throws {TypeError} It is to have several processors.
 */
export function checkProcessors({ cpus = 1 }: GuestOptions): void {
  if (cpus === 1) return;
  throw new TypeError(
    "User-mode Linux has one processor: leave --cpus out, or use --kernel with a bzImage",
  );
}

/** How a guest of user-mode Linux starts and ends. */
export const UML_GUEST: GuestKind = {
  // It takes a fifth of a second on an idle machine.
  bootMs: 60_000,
  endMs: 2000,
  lineName: "serial line",
  line: "/dev/ttyS0",
  explain: (log, killedBy) => explainFailure(log, hostFacts(), killedBy),
  hint: (log) => mapLimitHint(log, hostFacts()),
};
