import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { KcovUnavailableError } from "../../errors.ts";
import { installCommand } from "../../build/debian_packages.ts";
import { moduleFolders, modulesIn } from "../../kernel/image/find_module_image.ts";
import type { VmKernel } from "./vm_kernel.ts";

const LISTS = ["modules.builtin", "modules.builtin.modinfo", "modules.order"];

/**
 * The folder of a kernel's modules as modprobe(8) wants it, to stand at `/lib/modules/RELEASE` in the guest: the one that
 * `make modules_install` made below the build's folder, or one of links to the modules of the build, those in the
 * kernel's folder and those that `KERNELCOV_MODULES` names.
 *
 * @returns `undefined` where there are none.
 * @throws {KcovUnavailableError} depmod(8) is missing or fails: the guest can do without modules.
 */
export function modulesFolder({ folder, release, programs }: VmKernel): string | undefined {
  if (release === undefined) return undefined;
  const installed = join(folder, "lib/modules", release);
  if (existsSync(join(installed, "modules.dep"))) return installed;
  const files = [folder, ...moduleFolders()].flatMap((each) =>
    [...modulesIn(each).values()].map(([first]) => first)
  ).filter((path) => existsSync(path));
  if (files.length === 0) return undefined;
  const hash = createHash("sha256").update(release);
  for (const file of files) {
    const { size, mtimeMs } = statSync(file);
    hash.update(`${file}\n${size} ${mtimeMs}\n`);
  }
  const root = join(programs, "modules", `${release}-${hash.digest("hex").slice(0, 12)}`);
  const made = join(root, "lib/modules", release);
  if (!existsSync(made)) make(root, release, folder, files);
  return made;
}

function make(root: string, release: string, folder: string, files: readonly string[]): void {
  mkdirSync(dirname(root), { recursive: true });
  const partial = mkdtempSync(`${root}.`);
  try {
    const modules = join(partial, "lib/modules", release);
    mkdirSync(join(modules, "kernel"), { recursive: true });
    for (const file of files) symlinkSync(file, join(modules, "kernel", basename(file)));
    for (const name of LISTS) {
      const list = join(folder, name);
      if (existsSync(list)) copyFileSync(list, join(modules, name));
    }
    const path = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;
    const depmod = spawnSync("depmod", ["-b", partial, release], {
      encoding: "utf8",
      env: { ...process.env, PATH: path },
    });
    if (depmod.error !== undefined) {
      throw new KcovUnavailableError(
        "not-built-in",
        `The guest's modules need depmod: ${installCommand(["kmod"])}`,
      );
    }
    if (depmod.status !== 0) {
      throw new KcovUnavailableError(
        "not-built-in",
        `depmod cannot read the modules in ${folder}: ${depmod.stderr.trim().split("\n")[0]}`,
      );
    }
    renameSync(partial, root);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    // Another kernelcov made it first.
    if (!existsSync(root)) throw error;
  }
}
