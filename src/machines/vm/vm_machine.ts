import process from "node:process";
import type { Writable } from "node:stream";
import { KcovUnavailableError } from "../../errors.ts";
import { OpenImage } from "../../kernel/image/open_image.ts";
import { installCommand } from "../../build/debian_packages.ts";
import { lastRoot, type ProgramRoot } from "../../build/root/root_folder.ts";
import { runtimeName } from "../../sys/runtime.ts";
import { guestProgram } from "../guest/guest_programs.ts";
import type { GuestKind } from "../guest/guest_session.ts";
import { explainUnsealed, hostProtection } from "../guest/host_protection.ts";
import { hasCollectors } from "../guest/kernel_features.ts";
import { DEFAULT_MEMORY, parseMemorySize } from "../guest/memory_folder.ts";
import { runInGuest } from "../guest/run_in_guest.ts";
import { writableFolders } from "../guest/writable_folders.ts";
import type { CommandEnd, GuestOptions, Machine, MachineCommand } from "../machine.ts";
import { type Accelerator, chooseAccelerator } from "./accelerator.ts";
import { findProgram } from "./find_program.ts";
import { initramfs } from "./initramfs.ts";
import type { KernelMachine } from "./kernel_machines.ts";
import { modulesFolder } from "./modules_folder.ts";
import { checkConfiguration } from "./needed_options.ts";
import { startModules } from "./start_modules.ts";
import { explainVmFailure } from "./vm_failure.ts";
import type { VmKernel } from "./vm_kernel.ts";
import { VmProcess } from "./vm_process.ts";

/** A virtual machine, by QEMU: each command runs in one that is booted for it. */
export class VmMachine implements Machine {
  readonly #kernel: VmKernel;
  readonly #options: GuestOptions;
  readonly discardsChanges = true;

  constructor(kernel: VmKernel, options: GuestOptions = {}) {
    this.#kernel = kernel;
    this.#options = options;
  }

  get vmlinux(): string {
    return this.#kernel.vmlinux;
  }

  get collectors(): boolean {
    using image = new OpenImage(this.#kernel.vmlinux);
    return hasCollectors(image);
  }

  /** The guest says what it cannot run. */
  check(): void {}

  /**
   * The command runs on a terminal of its own where all three standard streams are terminals. `KERNELCOV_VMLINUX` is set
   * to the kernel's image.
   *
   * @throws {KcovUnavailableError} The machine cannot be started here; the message says what to change.
   * @throws {TypeError} The command is empty, or a folder cannot be used.
   * @throws {RangeError} The memory is not a size.
   */
  async run(command: MachineCommand): Promise<CommandEnd> {
    const kernel = this.#kernel;
    const { machine, programs, boot, vmlinux } = kernel;
    const options = this.#options;
    const memoryBytes = parseMemorySize(options.memory ?? DEFAULT_MEMORY);
    const write = writableFolders(options.write ?? []);
    const modules = this.#modules(command.stderr ?? process.stderr);
    const first = startModules(modules);
    checkConfiguration(kernel.folder, machine.arch, first);
    const qemu = findProgram(machine.qemu) ?? missing(machine.qemu, machine.package);
    const launcher = guestProgram(programs, "launcher");
    const init = guestProgram(programs, "vm_init", compilerFor(machine));
    const accelerator = chooseAccelerator(machine, qemu, programs);
    const root = programsOf(machine);
    return await runInGuest(root === undefined ? command : withPrograms(command), {
      vmlinux,
      write,
      options,
      ownKernel: true,
      modules,
      variables: modules === undefined ? {} : { KERNELCOV_MODULES: modules },
      kind: kindOf(accelerator),
      explainUnsealed: () => explainUnsealed(hostProtection(launcher)),
      boot: (onMessages) =>
        new VmProcess({
          machine,
          launcher,
          qemu,
          accelerator,
          kernel: boot,
          initramfs: initramfs(programs, init, first),
          memoryBytes,
          cpus: options.cpus ?? 1,
          parameters: options.parameters ?? [],
          programs: root?.path,
          write,
          onMessages,
        }),
    });
  }

  /** A guest without modules is still one. */
  #modules(stderr: Writable): string | undefined {
    try {
      return modulesFolder(this.#kernel);
    } catch (error) {
      if (!(error instanceof KcovUnavailableError)) throw error;
      stderr.write(`kernelcov: No modules: ${error.message}\n`);
      return undefined;
    }
  }
}

function kindOf({ name }: Accelerator): GuestKind {
  return {
    bootMs: name === "kvm" ? 60_000 : 600_000,
    endMs: 0,
    lineName: "console port",
    line: "/dev/vport*",
    explain: explainVmFailure,
  };
}

/** The programs of another architecture; `undefined` where the host's run. */
function programsOf({ arch, nodeName }: KernelMachine): ProgramRoot | undefined {
  if (nodeName === process.arch) return undefined;
  const root = lastRoot(arch);
  if (root !== undefined) return root;
  throw new KcovUnavailableError(
    "not-built-in",
    `A kernel of ${arch} needs programs for that, and this machine's are for ${process.arch}: run kernelcov kernel rootfs --arch ${arch}`,
  );
}

/** Where programs of a root are. */
const ROOT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** A command with the root's programs before the host's, and its runtime in place of this process's. */
export function withPrograms<T extends MachineCommand>(command: T): T {
  const { env = process.env, command: [program, ...args] } = command;
  const path = env["PATH"] === undefined ? ROOT_PATH : `${ROOT_PATH}:${env["PATH"]}`;
  const own = program === process.execPath ? runtimeName() : program;
  return {
    ...command,
    command: program === undefined ? [] : [own!, ...args],
    env: { ...env, PATH: path },
  };
}

/** Process 1 is a program for the guest's processor. */
function compilerFor(machine: KernelMachine): string {
  if (machine.nodeName === process.arch) return "gcc";
  return findProgram(machine.compiler) === undefined
    ? missing(machine.compiler, machine.compilerPackage)
    : machine.compiler;
}

function missing(program: string, name: string): never {
  throw new KcovUnavailableError(
    "not-built-in",
    `A virtual machine needs ${program}: ${installCommand([name])}`,
  );
}
