import { Buffer } from "node:buffer";
import { existsSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { OpenImage } from "../kernel/image/open_image.ts";
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
      `${file} is no user-mode Linux kernel: build one with make ARCH=um, with the options of src/build/recipe/config`,
    );
  }
  return {
    ...kernelFolder(join(linux, "..")),
    // What is compiled for the guest goes to the cache: the folder is not ours.
    path: cacheFolder(),
    linux,
    vmlinux,
    own: true,
    parameters: offersSeccomp(image) ? ["seccomp=auto"] : [],
  };
}

/**
 * Whether the kernel can run its processes without ptrace(2), which is off by default (Linux 6.16 and later;
 * arch/um/os-Linux/start_up.c). A page fault then takes one switch to it and back in place of three.
 */
function offersSeccomp({ elf }: OpenImage): boolean {
  const strings = elf.section(".rodata");
  return strings !== undefined && includesText(elf.bytes(strings), "seccomp=<");
}

function includesText(bytes: Uint8Array, text: string): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(text);
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
