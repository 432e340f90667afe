import { existsSync, lstatSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { INDEX_SUFFIX, indexCacheFolder } from "../symbolize/index_cache.ts";
import { OpenImage } from "../symbolize/open_image.ts";
import { currentKernelFolder, findEmbeddedKernel } from "../uml/build_kernel.ts";
import {
  type CachedKernel,
  cachedKernels,
  kernelBuilder,
  removeKernel,
} from "../uml/cached_kernels.ts";
import { parseCommandLine } from "./command_line.ts";
import { printJson } from "./question.ts";
import { UsageError } from "./usage_error.ts";

/** `kernelcov kernel list [--json]`: the kernels in the cache. */
export function listKernels(args: string[]): number {
  const { values, operands } = parseCommandLine(args, { json: { type: "boolean" } });
  if (operands.length > 0) {
    throw new UsageError(`kernel list takes no ${operands[0]}: leave it out`);
  }
  const current = currentPath();
  const kernels = cachedKernels().map((kernel) => ({
    name: kernel.name,
    state: stateOf(kernel, current),
    compiler: kernel.manifest?.compiler ?? "",
    bytes: diskUse(kernel.folder.path),
    path: kernel.folder.path,
  }));
  if (values.json) printJson(kernels);
  else {
    const width = Math.max(...kernels.map(({ name }) => name.length));
    process.stdout.write(
      kernels.map(({ name, state, bytes }) =>
        `${name.padEnd(width)}  ${megabytes(bytes).padStart(8)}  ${state}\n`
      ).join(""),
    );
  }
  return 0;
}

/** `kernelcov kernel prune`: removes the kernels that no command would run, with their indexes. */
export function pruneKernels(args: string[]): number {
  const { operands } = parseCommandLine(args, {});
  if (operands.length > 0) {
    throw new UsageError(`kernel prune takes no ${operands[0]}: leave it out`);
  }
  const current = currentPath();
  for (const kernel of cachedKernels()) {
    const { name, folder } = kernel;
    if (folder.path === current) continue;
    const builder = kernelBuilder(folder);
    if (builder !== undefined) {
      process.stderr.write(`kernelcov: ${name} is left: process ${builder} builds it\n`);
      continue;
    }
    const size = megabytes(diskUse(folder.path));
    removeIndex(kernel);
    removeKernel(kernel);
    process.stdout.write(`Removed ${name} (${size})\n`);
  }
  return 0;
}

/** The kernel that commands run, or would build. */
function currentPath(): string | undefined {
  return (currentKernelFolder() ?? findEmbeddedKernel())?.path;
}

function stateOf({ folder, manifest }: CachedKernel, current: string | undefined): string {
  const builder = kernelBuilder(folder);
  if (builder !== undefined) return `being built by process ${builder}`;
  if (manifest === undefined) return "not built to the end";
  return folder.path === current ? "in use" : "of another source, configuration or compiler";
}

function removeIndex({ folder }: CachedKernel): void {
  if (!existsSync(folder.vmlinux)) return;
  using image = new OpenImage(folder.vmlinux);
  const { buildId } = image.elf;
  if (buildId !== "") rmSync(join(indexCacheFolder(), buildId + INDEX_SUFFIX), { force: true });
}

/** Bytes that a folder takes on its disk. */
function diskUse(folder: string): number {
  let blocks = 0;
  for (const name of readdirSync(folder, { recursive: true }) as string[]) {
    blocks += lstatSync(join(folder, name), { throwIfNoEntry: false })?.blocks ?? 0;
  }
  // stat(2): blocks are of 512 bytes, whatever the file system's are.
  return 512 * blocks;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
