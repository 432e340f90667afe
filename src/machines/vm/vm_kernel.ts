import { existsSync, readFileSync, realpathSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { cacheFolder } from "../../build/kernel_folder.ts";
import { type BootFile, bootFile, bootFileIn, imageBeside } from "./boot_image.ts";
import type { KernelMachine } from "./kernel_machines.ts";

/** A kernel that virtual machines boot. */
export interface VmKernel {
  readonly machine: KernelMachine;
  /** What is booted. */
  readonly boot: string;
  /** ELF file with debug information. */
  readonly vmlinux: string;
  /** `uname -r`; `undefined` where its files do not tell. */
  readonly release: string | undefined;
  /** Where its modules may be: the folder of its build. */
  readonly folder: string;
  /** Folder for the programs that are compiled for its guests. */
  readonly programs: string;
}

/**
 * The kernel at a path: a bzImage, Image or vmlinux, which its header tells, or a folder with such files.
 *
 * @param image its image with debug information, where that is not beside it
 * @returns `undefined` where it is a kernel of another kind, or none.
 * @throws {TypeError} Its image is not there, or there is nothing to boot beside a vmlinux.
 */
export function vmKernel(
  path: string,
  image: string | undefined = process.env["KERNELCOV_VMLINUX"],
): VmKernel | undefined {
  const named = fileAt(path);
  const found = named === undefined ? undefined : bootFile(named);
  if (named === undefined || found === undefined) return undefined;
  const [boot, file] = found.kind === "vmlinux" ? beside(named) : [realpathSync(named), found];
  const vmlinux = found.kind === "vmlinux"
    ? named
    : (image || undefined) ?? imageBeside(boot) ?? imageBeside(named);
  if (vmlinux === undefined) {
    throw new TypeError(
      `There is no vmlinux with debug information beside ${named}: put it there, or name it with --vmlinux`,
    );
  }
  if (!existsSync(vmlinux)) {
    throw new TypeError(`There is no vmlinux at ${vmlinux}: name one with debug information`);
  }
  const folder = dirname(vmlinux);
  return {
    machine: file.machine,
    boot,
    vmlinux: realpathSync(vmlinux),
    release: readRelease(folder) ?? file.release,
    folder,
    programs: cacheFolder(),
  };
}

/** The file to look at; `undefined` where there is none. */
function fileAt(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat?.isDirectory() ? bootFileIn(path) : stat?.isFile() ? path : undefined;
}

/** What is booted of the build that a vmlinux is of. */
function beside(vmlinux: string): [path: string, file: BootFile] {
  const path = bootFileIn(dirname(vmlinux)) ?? bootFileIn(dirname(realpathSync(vmlinux)));
  const file = path === undefined ? undefined : bootFile(path);
  if (path !== undefined && file !== undefined && file.kind !== "vmlinux") {
    return [realpathSync(path), file];
  }
  throw new TypeError(
    `There is no bzImage or Image beside ${vmlinux}: name it, as a vmlinux alone is not moved in memory (KASLR) when it boots`,
  );
}

/** What a build has noted. */
function readRelease(folder: string): string | undefined {
  const path = join(folder, "include/config/kernel.release");
  return existsSync(path) ? readFileSync(path, "utf8").trim() : undefined;
}
