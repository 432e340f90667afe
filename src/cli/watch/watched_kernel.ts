import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  buildTree,
  prepareTree,
  type TreeKernel,
  type TreeRequest,
} from "../../build/tree/build_tree.ts";
import { type Rebuilt, TreeRebuilder } from "../../build/tree/rebuild_tree.ts";
import { isScanned } from "../../build/tree/scan_tree.ts";
import type { FilePatch } from "../../coverage/patch/patch.ts";
import { textPatch } from "../../coverage/patch/text_patch.ts";
import { loadImageIndex } from "../../symbolize/index/load_index.ts";

/** The kernel of a tree that is watched. */
export class WatchedKernel {
  readonly #root: string;
  readonly #rebuilder: TreeRebuilder;
  /** Of the files that have changed since the running kernel was built, the text that it was built from. */
  readonly #before = new Map<string, string | undefined>();
  readonly #first: string;
  #kernel: TreeKernel;

  private constructor(root: string, kernel: TreeKernel, rebuilder: TreeRebuilder) {
    this.#root = root;
    this.#first = kernel.folder.path;
    this.#kernel = kernel;
    this.#rebuilder = rebuilder;
  }

  /** Builds the kernel of a tree. */
  static async build(request: TreeRequest): Promise<WatchedKernel> {
    const build = await prepareTree(request);
    const kernel = await buildTree(build);
    await loadImageIndex(kernel.folder.vmlinux);
    return new WatchedKernel(build.tree.path, kernel, new TreeRebuilder(build));
  }

  get kernel(): TreeKernel {
    return this.#kernel;
  }

  /** Absolute paths of the files that it is made of. */
  files(): string[] {
    return this.#rebuilder.files().map((file) => join(this.#root, file));
  }

  /** Whether a path is of a file of the tree that a build can need. */
  has(path: string): boolean {
    return path.startsWith(`${this.#root}/`) && isScanned(path.slice(this.#root.length + 1), false);
  }

  /**
   * Builds it with changed files, and those that had changed before a build that failed.
   *
   * @param paths absolute ones
   */
  async rebuild(paths: readonly string[]): Promise<Rebuilt> {
    for (const path of paths) {
      const file = path.slice(this.#root.length + 1);
      if (!this.#before.has(file)) this.#before.set(file, this.#rebuilder.builtText(file));
    }
    return await this.#rebuilder.rebuild(this.#before);
  }

  /** What has changed since the running kernel was built. */
  changes(): FilePatch[] {
    return [...this.#before].map(([file, text]) =>
      textPatch(file, text, readText(join(this.#root, file)))
    ).filter(({ hunks, oldPath, newPath }) => hunks.length > 0 || oldPath !== newPath);
  }

  /** The lines of a file that the running kernel was built from. */
  sourceLines(file: string): readonly string[] | undefined {
    const text = this.#before.has(file) ? this.#before.get(file) : readText(join(this.#root, file));
    return text?.split("\n");
  }

  /** Makes a kernel that was built the running one. Of those of a session only the first and the last are kept. */
  adopt(kernel: TreeKernel): void {
    const { path } = this.#kernel.folder;
    if (path !== this.#first && path !== kernel.folder.path) {
      rmSync(this.#kernel.folder.manifest, { force: true });
      rmSync(path, { recursive: true, force: true });
    }
    this.#kernel = kernel;
    this.#before.clear();
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
