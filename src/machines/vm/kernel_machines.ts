import { VM_TARGETS } from "../../build/vm/vm_arch.ts";

/** What differs between the architectures of virtual machines. */
export interface KernelMachine {
  /** As `uname -m` has it. */
  readonly name: "x86_64" | "aarch64";
  /** As the kernel's source has it. */
  readonly arch: "x86_64" | "arm64";
  /** `e_machine` of ELF files. */
  readonly elfNumber: number;
  /** Node's name of it. */
  readonly nodeName: string;
  readonly qemu: string;
  /** Debian's package with QEMU for it. */
  readonly package: string;
  /** QEMU's model of the board. */
  readonly board: string;
  /** A processor that emulation has all of, and that Deno and Bun run on. */
  readonly emulated: string;
  readonly console: string;
  /** Parameters for the kernel's command line. */
  readonly parameters: readonly string[];
  /** The compiler for it on other machines. */
  readonly compiler: string;
  /** Debian's package with that. */
  readonly compilerPackage: string;
}

/** The architectures of virtual machines. */
export const KERNEL_MACHINES = {
  x86_64: {
    name: "x86_64",
    arch: "x86_64",
    elfNumber: 62,
    nodeName: VM_TARGETS.x86_64.nodeName,
    qemu: "qemu-system-x86_64",
    package: "qemu-system-x86",
    board: "q35",
    // What TCG lacks of it is left out: each is a warning otherwise.
    emulated: "Haswell-v4,-pcid,-x2apic,-tsc-deadline,-invpcid,-spec-ctrl",
    console: "ttyS0",
    // On a busy host an emulated timer is late, and the kernel would take it for broken.
    parameters: ["no_timer_check"],
    compiler: `${VM_TARGETS.x86_64.cross}gcc`,
    compilerPackage: VM_TARGETS.x86_64.crossPackage,
  },
  arm64: {
    name: "aarch64",
    arch: "arm64",
    elfNumber: 183,
    nodeName: VM_TARGETS.arm64.nodeName,
    qemu: "qemu-system-aarch64",
    package: "qemu-system-arm",
    board: "virt",
    emulated: "cortex-a76",
    console: "ttyAMA0",
    parameters: [],
    compiler: `${VM_TARGETS.arm64.cross}gcc`,
    compilerPackage: VM_TARGETS.arm64.crossPackage,
  },
} as const satisfies Readonly<Record<string, KernelMachine>>;
