import { constants, copyFileSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { writeWhole } from "../../sys/written_files.ts";
import { kernelFolder, type KernelManifest, kernelsFolder } from "../kernel_folder.ts";
import { make, type MakeFolder } from "../kernel_make.ts";
import type { TreeKernel } from "../tree/build_tree.ts";
import { buildIdOf, link } from "../tree/store_kernel.ts";
import type { SourceTree } from "../tree/source_tree.ts";
import type { TreeFolder } from "../tree/tree_folder.ts";
import type { VmTarget } from "./vm_arch.ts";

/** A kernel for virtual machines that was built from a tree of the user's. */
export interface VmTreeKernel extends TreeKernel {
  /** The file to boot, beside the vmlinux. */
  readonly boot: string;
}

/** A kernel for virtual machines that was made in a tree's mirror. */
export interface MadeVmKernel {
  readonly target: VmTarget;
  readonly folder: TreeFolder;
  readonly tree: SourceTree;
  readonly hasModules: boolean;
  readonly make: MakeFolder;
}

/** What a build notes: `uname -r`. */
const RELEASE = "include/config/kernel.release";

/**
 * Keeps a kernel that was made in a mirror, with its modules and its configuration, under its build id: a folder that
 * `--kernel` takes.
 */
export async function storeVmKernel(
  { target, folder, tree, hasModules, make: from }: MadeVmKernel,
  manifestOf: (buildId: string) => KernelManifest,
): Promise<VmTreeKernel> {
  const { mirror, added } = folder;
  const made = join(mirror, "vmlinux");
  const buildId = buildIdOf(made);
  const kernel = kernelFolder(join(kernelsFolder(), `${tree.version}-${buildId.slice(0, 12)}`));
  const { path } = kernel;
  mkdirSync(path, { recursive: true });
  function keep(file: string, name: string): void {
    const to = join(path, name);
    mkdirSync(dirname(to), { recursive: true });
    copyFileSync(file, `${to}.partial`, constants.COPYFILE_FICLONE);
    renameSync(`${to}.partial`, to);
  }
  if (hasModules) {
    // make reports a missing depmod in its log and goes on: it is in folders that are not on an ordinary user's PATH.
    const env = { PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` };
    await make(from, ["modules_install", `INSTALL_MOD_PATH=${path}`], env);
    forgetBuildLinks(path, readFileSync(join(mirror, RELEASE), "utf8").trim());
  }
  keep(made, "vmlinux");
  keep(join(mirror, ".config"), "config");
  keep(join(mirror, RELEASE), RELEASE);
  keep(join(mirror, target.imagePath), target.image);
  // Reports name the user's files; those that only the build has are in the mirror.
  link(tree.path, kernel.source);
  link(mirror, join(path, "made"));
  link(added, join(path, "patched"));
  const manifest = manifestOf(buildId);
  writeWhole(kernel.manifest, [`${JSON.stringify(manifest, null, 2)}\n`]);
  return { folder: kernel, manifest, boot: join(path, target.image) };
}

/** Links to the build, which a guest does not need and a search for modules would follow. */
function forgetBuildLinks(path: string, release: string): void {
  for (const name of ["build", "source"]) {
    rmSync(join(path, "lib/modules", release, name), { force: true });
  }
}
