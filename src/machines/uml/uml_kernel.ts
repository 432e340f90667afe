import { existsSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder, type KernelFolder } from "../../build/kernel_folder.ts";
import type { TreeKernel } from "../../build/tree/build_tree.ts";
import { OpenImage } from "../../kernel/image/open_image.ts";
import { tryReadText } from "../../sys/files.ts";
import { hasCollectors, offersSeccomp } from "../guest/kernel_features.ts";

/** A user-mode Linux kernel that guests boot. */
export interface UmlKernel {
  /** What is started. */
  readonly linux: string;
  /** ELF file with debug information. */
  readonly vmlinux: string;
  /** Folder for the programs that are compiled for its guests. */
  readonly programs: string;
  /** The kernel was built by the user, and may lack the patches under src/build/recipe. */
  readonly own: boolean;
  /** Whether it has the collectors of src/build/recipe. */
  readonly collectors: boolean;
  /** Parameters for its command line besides those of every guest. */
  readonly parameters: readonly string[];
}

/** A kernel that kernelcov built: the embedded one, or one with options of the user's. */
export function builtKernel({ path, linux, vmlinux }: KernelFolder): UmlKernel {
  const config = tryReadText(join(path, "config")) ?? "";
  const collectors = /^CONFIG_KCOV_COLLECTORS=y$/m.test(config);
  return { linux, vmlinux, programs: path, own: false, collectors, parameters: [] };
}

/** A kernel that kernelcov built from a tree of the user's. */
export function treeKernel({ folder, manifest }: TreeKernel): UmlKernel {
  const { linux, vmlinux } = folder;
  using image = new OpenImage(linux);
  return {
    linux,
    vmlinux,
    programs: cacheFolder(),
    own: !manifest.tree?.patches.includes("hostfs"),
    collectors: hasCollectors(image),
    parameters: offersSeccomp(image) ? ["seccomp=auto"] : [],
  };
}

/**
 * A user-mode Linux kernel that was built elsewhere, to be run in place of the embedded one: the folder that it was built
 * in, or its `linux` or `vmlinux`. Its lines are those of the `vmlinux` beside it, where there is one.
 *
 * @throws {TypeError} there is no such kernel.
 * @throws {FormatError} the file is not an ELF image.
 */
export function ownKernel(path: string): UmlKernel {
  const file = executableAt(path);
  const linux = realpathSync(file);
  const beside = join(linux, "..", "vmlinux");
  const vmlinux = existsSync(beside) ? beside : linux;
  using image = new OpenImage(linux);
  // Made by arch/um/include/asm/common.lds.S alone.
  if (image.elf.section(".uml.setup.init") === undefined) {
    throw new TypeError(
      `${file} is not a user-mode Linux kernel: build one with make ARCH=um, with the options of src/build/recipe/config`,
    );
  }
  return {
    linux,
    vmlinux,
    // The folder that the kernel is in is not ours.
    programs: cacheFolder(),
    own: true,
    collectors: hasCollectors(image),
    parameters: offersSeccomp(image) ? ["seccomp=auto"] : [],
  };
}

function executableAt(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isFile()) return path;
  if (stat?.isDirectory()) {
    const found = ["linux", "vmlinux"].map((name) => join(path, name)).find(existsSync);
    if (found !== undefined) return found;
  }
  throw new TypeError(
    `There is no kernel at ${path}: name the folder that it was built in, or its file linux`,
  );
}
