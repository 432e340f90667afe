import { existsSync, readdirSync, rmSync } from "node:fs";
import { basename } from "node:path";
import { lockHolder } from "../build_lock.ts";
import type { CachedKernel } from "../cached_kernels.ts";
import type { BuiltTree } from "../kernel_folder.ts";
import { lastBuild, type TreeFolder, treeFolderAt, treesFolder } from "./tree_folder.ts";

/** The build files of a tree, in the cache. */
export interface CachedTree {
  readonly name: string;
  readonly folder: TreeFolder;
  /** The tree, and the folder of the kernel that was built last; absent where no build has ended. */
  readonly tree?: string;
  readonly kernel?: string;
}

/** The build files of all trees, by name. */
export function cachedTrees(): CachedTree[] {
  const parent = treesFolder();
  if (!existsSync(parent)) return [];
  return readdirSync(parent).sort().map((name) => {
    const folder = treeFolderAt(`${parent}/${name}`);
    const last = lastBuild(folder);
    return { name, folder, ...last === undefined ? {} : { tree: last.tree, kernel: last.kernel } };
  });
}

/** The process that builds a tree now; `undefined` where none does. */
export function treeBuilder({ folder }: CachedTree): number | undefined {
  return lockHolder(folder.lock);
}

/** Removes the build files of a tree: the next build of it is a whole one. */
export function removeTree({ folder }: CachedTree): void {
  rmSync(folder.path, { recursive: true, force: true });
}

/** Of the kernels that were built from trees the newest of each tree, branch and set of options. */
export function newestOfTrees(kernels: readonly CachedKernel[]): Set<CachedKernel> {
  const newest = new Map<string, CachedKernel>();
  for (const kernel of kernels) {
    const tree = kernel.manifest?.tree;
    if (tree === undefined) continue;
    const key = JSON.stringify([tree.path, tree.git?.branch, tree.options]);
    const other = newest.get(key)?.manifest?.tree;
    if (other === undefined || other.builtAt < tree.builtAt) newest.set(key, kernel);
  }
  return new Set(newest.values());
}

/** A tree as people know it: `linux (/home/me/linux), branch topic, commit 0123456789ab with changes, --llvm`. */
export function describeTree({ path, git, options }: BuiltTree): string {
  return [
    `${basename(path)} (${path})`,
    ...git === undefined ? [] : [
      ...git.branch === undefined ? [] : [`branch ${git.branch}`],
      `commit ${git.commit.slice(0, 12)}${git.dirty ? " with changes" : ""}`,
    ],
    ...options,
  ].join(", ");
}
