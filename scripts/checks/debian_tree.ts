import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { cacheFolder } from "../../src/build/kernel_folder.ts";
import { KcovUnavailableError } from "../../src/errors.ts";

/** Debian's sources that kernels are built from as from a user's tree. */
export const DEBIAN_SERIES = ["6.12", "6.1"];

/**
 * Unpacks Debian's source of a version of Linux, as a user would, unless that is done.
 *
 * @param folder for the trees; by default one in the cache, or `KERNELCOV_DEBIAN_TREES`
 * @throws {KcovUnavailableError} Its package is not installed.
 */
export function debianTree(
  series: string,
  folder = process.env["KERNELCOV_DEBIAN_TREES"] ?? join(cacheFolder(), "debian_trees"),
): string {
  const name = `linux-source-${series}`;
  const archive = `/usr/src/${name}.tar.xz`;
  if (!existsSync(archive)) {
    throw new KcovUnavailableError(
      "not-built-in",
      `${archive} is missing: apt-get install -y --no-install-recommends ${name}`,
    );
  }
  const tree = join(folder, name);
  if (!existsSync(join(tree, "virt"))) {
    mkdirSync(folder, { recursive: true });
    execFileSync("tar", ["-xf", archive, "-C", folder]);
  }
  return tree;
}
