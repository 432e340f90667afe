import { existsSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import process from "node:process";
import { INDEX_SUFFIX, indexCacheFolder } from "../../../symbolize/index/cached_index.ts";
import { OpenImage } from "../../../kernel/image/open_image.ts";
import { olderRoots } from "../../../build/root/root_folder.ts";
import {
  currentKernelFolder,
  findEmbeddedKernel,
  type KernelDefinition,
  namedKernel,
} from "../../../build/build_kernel.ts";
import {
  type CachedKernel,
  cachedKernels,
  kernelBuilder,
  removeKernel,
} from "../../../build/cached_kernels.ts";
import { builtDiskUse, diskUse } from "../../../build/disk_use.ts";
import {
  type CachedTree,
  cachedTrees,
  describeTree,
  newestOfTrees,
  removeTree,
  treeBuilder,
} from "../../../build/tree/tree_kernels.ts";
import { forgetKernelName, fragmentOf, kernelNames } from "../../../build/kernel_names.ts";
import { printJson } from "../../question.ts";
import { parseCommandLine, UsageError, warn } from "../../command_line.ts";

/** `kernelcov kernel list [--json]`: the kernels in the cache. */
export function listKernels(args: string[]): number {
  const { values, operands } = parseCommandLine(args, { json: { type: "boolean" } });
  if (operands.length > 0) {
    throw new UsageError(`kernel list takes no ${operands[0]}: leave it out`);
  }
  const current = currentKernels();
  const cached = cachedKernels();
  const newest = newestOfTrees(cached);
  const kernels = cached.map((kernel) => ({
    name: kernel.name,
    kernels: current.get(kernel.folder.path) ?? [],
    state: stateOf(kernel, current, newest),
    tree: kernel.manifest?.tree,
    compiler: kernel.manifest?.compiler ?? "",
    bytes: kernelDiskUse(kernel),
    path: kernel.folder.path,
  }));
  if (values.json) printJson(kernels);
  else {
    const rows = [
      ...kernels,
      ...cachedTrees().map((cached) => ({
        name: `trees/${cached.name}`,
        state: cached.tree === undefined ? "build files" : `build files of ${cached.tree}`,
        bytes: treeDiskUse(cached),
      })),
    ];
    const width = Math.max(...rows.map(({ name }) => name.length));
    process.stdout.write(
      rows.map(({ name, state, bytes }) =>
        `${name.padEnd(width)}  ${megabytes(bytes).padStart(8)}  ${state}\n`
      ).join(""),
    );
  }
  return 0;
}

/**
 * `kernelcov kernel prune [NAME]…`: removes the kernels that no command would run, or those of the names, with their
 * indexes.
 */
export function pruneKernels(args: string[]): number {
  const { operands } = parseCommandLine(args, {});
  const unknown = operands.find((name) => fragmentOf(name) === undefined);
  if (unknown !== undefined) {
    const names = kernelNames().join(", ");
    throw new UsageError(
      `There is no kernel named ${unknown}: ${names === "" ? "leave it out" : `use ${names}`}`,
    );
  }
  const chosen = new Set(operands.map((name) => currentPath(namedKernel(name))));
  operands.forEach(forgetKernelName);
  // Two names may stand for the same options, and so for one kernel.
  const current = currentKernels();
  const cached = cachedKernels();
  const newest = newestOfTrees(cached);
  for (const kernel of cached) {
    const { name, folder } = kernel;
    if (current.has(folder.path) || newest.has(kernel)) continue;
    if (operands.length > 0 && !chosen.has(folder.path)) continue;
    const builder = kernelBuilder(folder);
    if (builder !== undefined) {
      warn(`${name} is left: process ${builder} builds it`);
      continue;
    }
    const size = megabytes(kernelDiskUse(kernel));
    removeIndex(kernel);
    removeKernel(kernel);
    process.stdout.write(`Removed ${name} (${size})\n`);
  }
  if (operands.length === 0) {
    pruneTrees([...newest].map(({ folder }) => folder.path));
    pruneRoots();
  }
  return 0;
}

/** Removes the build files of trees that are gone, or whose kernel is. */
function pruneTrees(kept: readonly string[]): void {
  for (const cached of cachedTrees()) {
    const { name, tree, kernel } = cached;
    const isNeeded = tree !== undefined && existsSync(tree) && kept.includes(kernel!);
    if (isNeeded || treeBuilder(cached) !== undefined) continue;
    const size = megabytes(treeDiskUse(cached));
    removeTree(cached);
    process.stdout.write(`Removed trees/${name} (${size})\n`);
  }
}

/** Removes the programs of other architectures that newer ones have replaced. */
function pruneRoots(): void {
  for (const { path } of olderRoots()) {
    const size = megabytes(diskUse(path));
    rmSync(path, { recursive: true, force: true });
    process.stdout.write(`Removed roots/${basename(path)} (${size})\n`);
  }
}

/** The names that `--kernel` has for the kernels that commands run, or would build, by folder. */
function currentKernels(): Map<string | undefined, string[]> {
  const kernels = new Map([[currentPath(), ["embedded"]]]);
  for (const name of kernelNames()) {
    const path = currentPath(namedKernel(name));
    kernels.set(path, [...kernels.get(path) ?? [], name]);
  }
  return kernels;
}

function currentPath(definition?: KernelDefinition): string | undefined {
  return (currentKernelFolder(definition) ?? findEmbeddedKernel(definition))?.path;
}

function stateOf(
  kernel: CachedKernel,
  current: ReturnType<typeof currentKernels>,
  newest: ReadonlySet<CachedKernel>,
): string {
  const { folder, manifest } = kernel;
  const builder = kernelBuilder(folder);
  if (builder !== undefined) return `being built by process ${builder}`;
  if (manifest === undefined) return "not built to the end";
  if (manifest.tree !== undefined) {
    return `${newest.has(kernel) ? "newest" : "older"} of ${describeTree(manifest.tree)}`;
  }
  const names = current.get(folder.path);
  if (names === undefined) return "of another source, configuration or compiler";
  return `in use: --kernel ${names.join(" or ")}`;
}

function removeIndex({ folder }: CachedKernel): void {
  if (!existsSync(folder.vmlinux)) return;
  using image = new OpenImage(folder.vmlinux);
  const { buildId } = image.elf;
  if (buildId !== "") rmSync(join(indexCacheFolder(), buildId + INDEX_SUFFIX), { force: true });
}

function kernelDiskUse({ folder }: CachedKernel): number {
  return builtDiskUse(folder.path, kernelBuilder(folder) === undefined ? folder.log : undefined);
}

function treeDiskUse(cached: CachedTree): number {
  const { path, log } = cached.folder;
  return builtDiskUse(path, treeBuilder(cached) === undefined ? log : undefined);
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
