import { readFileSync } from "node:fs";
import { buildTreeKernel, type TreeKernel, type TreeRequest } from "../../build/tree/build_tree.ts";
import type { GuestOptions, Machine } from "../../machines/machine.ts";
import { treeKernel } from "../../machines/uml/uml_kernel.ts";
import { UmlMachine } from "../../machines/uml/uml_machine.ts";
import { noteSource } from "../../record/run_source.ts";
import { loadImageIndex } from "../../symbolize/index/load_index.ts";
import { type OptionValues, UsageError } from "../command_line.ts";

/** Options of commands that can build a kernel from a source tree, for `parseCommandLine`. */
export const SOURCE_OPTIONS = {
  source: { type: "string" },
  config: { type: "string" },
  llvm: { type: "boolean" },
  "no-patch": { type: "boolean" },
} as const;

/** Help for {@linkcode SOURCE_OPTIONS}. */
export const SOURCE_HELP =
  `    --source DIR                  a Linux source tree, from 6.1 on: its kernel is built as user-mode Linux, of what has
                                  changed since the last time; the tree itself is only read
    --config FILE                 with --source: options of yours, or a whole .config of user-mode Linux
    --llvm                        with --source: clang and its tools in place of GCC
    --no-patch                    with --source: the tree's own KCOV, without kernelcov's patches
`;

/** Values of {@linkcode SOURCE_OPTIONS}. */
export type SourceValues = OptionValues<typeof SOURCE_OPTIONS>;

/**
 * What is to be built for {@linkcode SOURCE_OPTIONS}; `undefined` without `--source`.
 *
 * @param kernel the value of `--kernel`, where that was given
 * @throws {UsageError} Options contradict each other, or a file cannot be read.
 */
export function treeRequest(
  { source, config, llvm, "no-patch": noPatch }: SourceValues,
  kernel?: string,
): TreeRequest | undefined {
  if (source === undefined) {
    const alone = config !== undefined ? "--config" : llvm ? "--llvm" : "--no-patch";
    if (config === undefined && !llvm && !noPatch) return undefined;
    throw new UsageError(`${alone} is for a kernel that is built: add --source DIR`);
  }
  if (kernel !== undefined) {
    throw new UsageError("--source and --kernel both name a kernel: leave one out");
  }
  return {
    source,
    llvm,
    patch: noPatch !== true,
    config: config === undefined ? undefined : { origin: config, text: readConfig(config) },
  };
}

function readConfig(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new UsageError(`Cannot read ${path}: name a file with options of a kernel`, { cause });
  }
}

/** Builds the kernel of a tree, and its index, which a guest could build but not keep. */
export async function buildSource(request: TreeRequest): Promise<TreeKernel> {
  const kernel = await buildTreeKernel(request);
  await loadImageIndex(kernel.folder.vmlinux);
  return kernel;
}

/** The machine that boots the kernel of a tree. */
export function treeMachine(kernel: TreeKernel, guest: GuestOptions): Machine {
  return new UmlMachine(treeKernel(kernel), guest);
}

/** Notes in a run's folder what its kernel is built from. */
export function noteTree(runDirectory: string, { manifest }: TreeKernel): void {
  const { tree, sourceVersion: version } = manifest;
  if (tree === undefined) return;
  const { buildId, path, git } = tree;
  noteSource(runDirectory, buildId, { path, version, ...git === undefined ? {} : { git } });
}
