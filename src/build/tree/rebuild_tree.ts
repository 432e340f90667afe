import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { KcovUnavailableError } from "../../errors.ts";
import {
  buildTree,
  keepKernel,
  keyOf,
  lockTree,
  patchTree,
  type TreeBuild,
  type TreeKernel,
} from "./build_tree.ts";
import { CompiledUnits } from "./compiled_units.ts";
import { changedInlines } from "./inline_functions.ts";
import type { LinkSteps } from "./link_trace.ts";
import { mirrorTree } from "./mirror_tree.ts";
import { originalOf, patchedFiles } from "./patch_mirror.ts";
import { gitState } from "./source_tree.ts";
import { quickBuild, type QuickStages } from "./quick_build.ts";

/** What became of a build after changes. */
export type Rebuilt =
  /** The compiler's or the linker's messages. */
  | { readonly kind: "failed"; readonly output: string }
  | {
    readonly kind: "built";
    readonly kernel: TreeKernel;
    /** Warnings. */
    readonly output: string;
    /** The sources of the units that were compiled; absent where make built the kernel. */
    readonly sources?: readonly string[];
    readonly stages?: QuickStages;
  };

/** Builds a tree again and again, as its files change. */
export class TreeRebuilder {
  readonly #build: TreeBuild;
  #units: CompiledUnits;
  /** Whether objects can have been compiled from texts that no image was made of. */
  #isMixed = false;

  /** @param build of a tree that has been built */
  constructor(build: TreeBuild) {
    this.#build = build;
    this.#units = new CompiledUnits(build.folder.mirror);
  }

  /** Paths of the files that the kernel is made of, from the tree's root. */
  files(): string[] {
    return this.#units.files();
  }

  /** The text that a file had when it was built last; `undefined` where it was not there. */
  builtText(file: string): string | undefined {
    const { folder: { mirror, added } } = this.#build;
    const places = [originalOf(added, file), join(mirror, file)];
    const path = places.find(existsSync);
    return path === undefined ? undefined : readFileSync(path, "utf8");
  }

  /**
   * Builds the kernel with changed files: the units that depend on them alone where that can be, else with make.
   *
   * @param before of all files that have changed since the last build that did not fail the text that they had then; paths
   *   are from the tree's root
   */
  async rebuild(before: ReadonlyMap<string, string | undefined>): Promise<Rebuilt> {
    const isMixed = this.#isMixed;
    this.#isMixed = true;
    const rebuilt = await this.#rebuild(before, isMixed);
    this.#isMixed = rebuilt.kind === "failed";
    return rebuilt;
  }

  async #rebuild(
    before: ReadonlyMap<string, string | undefined>,
    isMixed: boolean,
  ): Promise<Rebuilt> {
    const quick = await lockTree(this.#build, () => this.#quick(before, isMixed));
    if (quick !== undefined) return quick;
    try {
      const kernel = await buildTree(this.#build);
      this.#units = new CompiledUnits(this.#build.folder.mirror);
      return { kind: "built", kernel, output: "" };
    } catch (error) {
      if (error instanceof KcovUnavailableError) return { kind: "failed", output: error.message };
      throw error;
    }
  }

  async #quick(
    before: ReadonlyMap<string, string | undefined>,
    isMixed: boolean,
  ): Promise<Rebuilt | undefined> {
    const { tree, folder, patches } = this.#build;
    const changed = [...before.keys()];
    const steps = readSteps(folder.link);
    if (steps === undefined || !changed.every((file) => /\.[chS]$/.test(file))) return undefined;
    const { stamps } = mirrorTree(tree.path, folder.mirror, folder.scan, {
      only: changed,
      except: patchedFiles(patches),
    });
    const patched = patchTree(this.#build, stamps);
    // Whether one of them is new, or gone, is for make to say.
    if (!changed.every((file) => stamps.has(file))) return undefined;
    writeFileSync(folder.log, "");
    const state = gitState(tree.path);
    const inlines = isMixed ? undefined : this.#changedInlines(before);
    const result = await quickBuild(
      folder.mirror,
      changed,
      this.#units,
      steps,
      folder.symbols,
      inlines,
    );
    if (result.kind === "unable") return undefined;
    if (result.kind === "failed") {
      writeFileSync(folder.log, result.output);
      return result;
    }
    const { sources, stages, output } = result;
    const key = keyOf(this.#build, stamps, patched);
    const took = {
      files: sources.length,
      seconds: Math.round((stages.compile + stages.link) / 1000),
      git: await state,
    };
    const kernel = keepKernel(this.#build, patched, key, took, false);
    return { kind: "built", kernel, output, sources, stages };
  }

  /** Of changed headers the inline functions that alone have changed. */
  #changedInlines(before: ReadonlyMap<string, string | undefined>): Map<string, string[]> {
    const inlines = new Map<string, string[]>();
    for (const [file, text] of before) {
      const now = this.builtText(file);
      if (!file.endsWith(".h") || text === undefined || now === undefined) continue;
      const names = changedInlines(text, now);
      if (names !== undefined) inlines.set(file, names);
    }
    return inlines;
  }
}

function readSteps(path: string): LinkSteps | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}
