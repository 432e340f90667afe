import process from "node:process";

/** An architecture that kernels for virtual machines are built for, as the kernel's source names it. */
export type VmArch = "x86_64" | "arm64";

/** How a kernel of an architecture is built. */
export interface VmTarget {
  /** Node's name of the architecture. */
  readonly nodeName: string;
  /** What the names of its compiler and tools start with on other machines. */
  readonly cross: string;
  /** Debian's package with that compiler. */
  readonly crossPackage: string;
  /** What its build needs besides the packages of every kernel. */
  readonly packages: readonly string[];
  /** The file that is booted: make's target, and where it lies in the source. */
  readonly image: string;
  readonly imagePath: string;
}

/** The architectures that kernels for virtual machines are built for. */
export const VM_TARGETS: Readonly<Record<VmArch, VmTarget>> = {
  x86_64: {
    nodeName: "x64",
    cross: "x86_64-linux-gnu-",
    crossPackage: "gcc-x86-64-linux-gnu",
    // objtool reads objects with it.
    packages: ["libelf-dev"],
    image: "bzImage",
    imagePath: "arch/x86/boot/bzImage",
  },
  arm64: {
    nodeName: "arm64",
    cross: "aarch64-linux-gnu-",
    crossPackage: "gcc-aarch64-linux-gnu",
    packages: [],
    image: "Image",
    imagePath: "arch/arm64/boot/Image",
  },
};

/** Whether kernels of an architecture need a compiler that is not this machine's own. */
export function isCross(arch: VmArch): boolean {
  return VM_TARGETS[arch].nodeName !== process.arch;
}
