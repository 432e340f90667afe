import { existsSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { OpenImage } from "../symbolize/open_image.ts";
import { cacheFolder, type KernelFolder, kernelFolder } from "./kernel_folder.ts";

/**
 * A user-mode Linux kernel that was built elsewhere, to be run in place of the embedded one: the folder that it was built
 * in, or its `linux` or `vmlinux`. Its lines are those of the `vmlinux` beside it, where there is one.
 *
 * @throws {TypeError} there is no such kernel.
 * @throws {FormatError} the file is no ELF image.
 */
export function ownKernel(path: string): KernelFolder {
  const file = executableAt(path);
  const linux = realpathSync(file);
  const beside = join(linux, "..", "vmlinux");
  const vmlinux = existsSync(beside) ? beside : linux;
  using image = new OpenImage(linux);
  // Made by arch/um/include/asm/common.lds.S alone.
  if (image.elf.section(".uml.setup.init") === undefined) {
    throw new TypeError(
      `${file} is no user-mode Linux kernel: build one with make ARCH=um, with the options of scripts/kernel/config`,
    );
  }
  // What is compiled for the guest goes to the cache: the folder is not ours.
  return { ...kernelFolder(join(linux, "..")), path: cacheFolder(), linux, vmlinux, own: true };
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
