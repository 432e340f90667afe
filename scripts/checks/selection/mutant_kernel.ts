import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildEmbeddedKernel } from "../../../src/build/build_kernel.ts";
import { patchedFiles } from "../../../src/build/tree/patch_mirror.ts";
import { sourceTree } from "../../../src/build/tree/source_tree.ts";
import { patchesFor } from "../../../src/build/tree/tree_patches.ts";
import { WatchedKernel } from "../../../src/cli/watch/watched_kernel.ts";
import { changingFile } from "./mutant_results.ts";
import type { Mutant } from "./mutants.ts";

/** A kernel whose source is changed and built anew, one file at a time. */
export interface MutantKernel {
  /** The folder of its sources. */
  readonly tree: string;
  /** What is booted. */
  readonly linux: string;
  /** What is booted without a change. */
  readonly unchanged: string;
  /** The kernel that the suite is recorded on: what is booted, and with debug information. */
  readonly recorded: { readonly linux: string; readonly vmlinux: string };
  /** Files in which that kernel differs. */
  readonly different: ReadonlySet<string>;
  /** Builds it with changed files; false where that does not compile. */
  rebuild(paths: readonly string[]): Promise<boolean>;
}

/** Builds kernels with one mutant each. */
export class MutantBuilder {
  readonly kernel: MutantKernel;
  /** The file of the last mutant, which is built anew with the next one: that costs one link less. */
  #last: string | undefined;

  constructor(kernel: MutantKernel) {
    this.kernel = kernel;
  }

  /** Runs `body` on the kernel with a mutant, and puts the file back; `undefined` where it does not compile. */
  async with<T>(
    { file, line, before, after }: Mutant,
    body: (seconds: number) => T,
  ): Promise<T | undefined> {
    const path = join(this.kernel.tree, file);
    const text = readFileSync(path, "utf8");
    const lines = text.split("\n");
    if (lines[line - 1] !== before) throw new TypeError(`${path} is not what was recorded`);
    const putBack = changingFile(path, text);
    try {
      writeFileSync(path, lines.with(line - 1, after).join("\n"));
      const started = performance.now();
      const isBuilt = await this.kernel.rebuild([...new Set([path, this.#last ?? path])]);
      return isBuilt ? body((performance.now() - started) / 1000) : undefined;
    } finally {
      putBack();
      this.#last = path;
    }
  }

  /** Builds the kernel without a mutant, so that the tree's newest one has none. */
  async end(): Promise<void> {
    if (this.#last !== undefined) await this.kernel.rebuild([this.#last]);
  }
}

/** The kernel of a tree that kernelcov builds, as `kernelcov watch` does. */
export async function treeMutants(tree: string): Promise<MutantKernel> {
  const watched = await WatchedKernel.build({ source: tree });
  const { vmlinux, linux: unchanged } = watched.kernel.folder;
  return {
    tree: realpathSync(tree),
    unchanged,
    recorded: { linux: unchanged, vmlinux },
    different: new Set(),
    get linux() {
      return watched.kernel.folder.linux;
    },
    async rebuild(paths) {
      const rebuilt = await watched.rebuild(paths);
      if (rebuilt.kind === "failed") return false;
      watched.adopt(rebuilt.kernel);
      return true;
    },
  };
}

/**
 * A user-mode Linux kernel that was built in its tree. Tests are recorded on the embedded kernel, since this one may have
 * none of kernelcov's patches: both must be of the same sources but for those.
 *
 * @param make builds it anew in that folder, with the options that it was built with; without it nothing can be built
 * @param folder for copies
 */
export async function builtMutants(
  tree: string,
  make: string | undefined,
  folder: string,
): Promise<MutantKernel> {
  const built = join(tree, "vmlinux"), linux = join(folder, "linux");
  if (!existsSync(built)) {
    throw new TypeError(`${built} is missing: name a tree that was built, with its objects`);
  }
  const rebuild = (): boolean => {
    if (make === undefined) return false;
    const { status } = spawnSync("sh", ["-c", make], { cwd: tree, stdio: "ignore" });
    if (status === 0) spawnSync("strip", ["--strip-debug", "-o", linux, built]);
    return status === 0;
  };
  const unchanged = join(folder, "unchanged");
  if (make !== undefined) {
    if (!rebuild()) throw new TypeError(`${make} fails in ${tree}`);
    copyFileSync(linux, unchanged);
  }
  return {
    tree,
    linux,
    unchanged,
    recorded: await buildEmbeddedKernel(),
    different: patchedFiles(patchesFor(sourceTree(tree))),
    rebuild: () => Promise.resolve(rebuild()),
  };
}
