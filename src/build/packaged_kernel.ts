import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { type KernelFolder, kernelFolder, readManifest } from "./kernel_folder.ts";

/** The npm package with an embedded kernel that `scripts/pack_kernel.ts` makes. */
export const KERNEL_PACKAGE = "kernelcov-kernel-linux-x64";

/** The folder of kernelcov's own package or checkout. */
const OWN_FOLDER = fileURLToPath(new URL("../..", import.meta.url));

/**
 * The kernel of {@linkcode KERNEL_PACKAGE}, installed beside kernelcov or, of a checkout, in it; `undefined` where it is not
 * there, or is not what this kernelcov would build.
 *
 * @param recipe hash of what kernelcov puts into a kernel
 */
export function packagedKernel(recipe: string, own = OWN_FOLDER): KernelFolder | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") return undefined;
  for (const packages of [dirname(join(own, ".")), join(own, "node_modules")]) {
    const folder = kernelFolder(join(packages, KERNEL_PACKAGE));
    if (existsSync(folder.manifest) && readManifest(folder)?.recipe === recipe) return folder;
  }
  return undefined;
}
