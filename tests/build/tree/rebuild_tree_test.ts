import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { ProgressLine } from "../../../src/build/build_progress.ts";
import type { TreeBuild } from "../../../src/build/tree/build_tree.ts";
import { mirrorTree } from "../../../src/build/tree/mirror_tree.ts";
import { type Rebuilt, TreeRebuilder } from "../../../src/build/tree/rebuild_tree.ts";
import { treeFolder } from "../../../src/build/tree/tree_folder.ts";
import { FILES, Mirror, STEPS } from "./made_build.ts";

const header = (one: number, two: number): string =>
  `static inline int one(void)\n{\n\treturn ${one};\n}\n` +
  `static inline int two(void)\n{\n\treturn ${two};\n}\n`;

/** Of the program, `value` uses one function of the header, and `main` none. */
const SOURCES: Record<string, string> = {
  ...FILES,
  "fs/inline.h": header(1, 2),
  "fs/value.c": '#include "inline.h"\nint value(void) { return one(); }\n',
  "fs/main.c": `#include "inline.h"\n${FILES["fs/main.c"]}`,
};

/** A tree of the user's that has been built, in a cache of its own. */
class BuiltTree {
  readonly #root: string;
  readonly #tree: string;
  readonly #mirror: string;
  readonly #cache: string | undefined;
  readonly rebuilder: TreeRebuilder;

  private constructor(root: string, cache: string | undefined, build: TreeBuild) {
    this.#root = root;
    this.#cache = cache;
    this.#tree = build.tree.path;
    this.#mirror = build.folder.mirror;
    this.rebuilder = new TreeRebuilder(build);
  }

  static async made(): Promise<BuiltTree> {
    const root = mkdtempSync(join(tmpdir(), "kernelcov-rebuild-")), tree = join(root, "linux");
    const cache = process.env["XDG_CACHE_HOME"];
    process.env["XDG_CACHE_HOME"] = join(root, "cache");
    const folder = treeFolder(tree, "variant");
    mkdirSync(folder.path, { recursive: true });
    for (const [path, text] of Object.entries(SOURCES)) {
      mkdirSync(dirname(join(tree, path)), { recursive: true });
      writeFileSync(join(tree, path), text);
    }
    mirrorTree(tree, folder.mirror, folder.scan, { all: true });
    await Mirror.made(SOURCES, folder.mirror);
    writeFileSync(folder.link, JSON.stringify(STEPS));
    return new BuiltTree(root, cache, {
      tree: { path: tree, version: "6.12.1", series: [6, 12] },
      folder,
      make: { source: folder.mirror, log: folder.log, debugName: tree, llvm: false },
      patches: [],
      config: { text: "" } as TreeBuild["config"],
      variant: "variant",
      options: [],
      compiler: "gcc",
      progress: new ProgressLine(new PassThrough()),
    });
  }

  /** Saves a file, and builds with it. */
  async save(
    path: string,
    text: string,
    before = this.rebuilder.builtText(path),
  ): Promise<Rebuilt> {
    writeFileSync(join(this.#tree, path), text);
    return await this.rebuilder.rebuild(new Map([[path, before]]));
  }

  /** What the program prints. */
  run(): string {
    return execFileSync(join(this.#mirror, "vmlinux"), { encoding: "utf8" });
  }

  [Symbol.dispose](): void {
    if (this.#cache === undefined) delete process.env["XDG_CACHE_HOME"];
    else process.env["XDG_CACHE_HOME"] = this.#cache;
    rmSync(this.#root, { recursive: true });
  }
}

function sourcesOf(rebuilt: Rebuilt): readonly string[] {
  assert.equal(rebuilt.kind, "built", JSON.stringify(rebuilt));
  return rebuilt.kind === "built" ? rebuilt.sources ?? ["make"] : [];
}

test("where the body of a header's function has changed only its users are compiled", async () => {
  using tree = await BuiltTree.made();
  assert.deepEqual(sourcesOf(await tree.save("fs/inline.h", header(5, 2))), ["fs/value.c"]);
  assert.equal(tree.run(), "5 1\n");
  assert.deepEqual(sourcesOf(await tree.save("fs/inline.h", header(5, 3))), []);
  const moved = sourcesOf(await tree.save("fs/inline.h", `\n${header(6, 3)}`));
  assert.deepEqual([...moved].sort(), ["fs/main.c", "fs/value.c"]);
  assert.equal(tree.run(), "6 1\n");
});

test("after a build that failed all that includes a header is compiled, also when it is put back", async () => {
  using tree = await BuiltTree.made();
  const before = header(1, 2);
  const broken = before.replace("return 2", "return");
  // The user of the other function may have been compiled with the text that another could not be.
  const failed = await tree.save("fs/inline.h", broken.replace("return 1", "return ("));
  assert.equal(failed.kind, "failed");
  const sources = sourcesOf(await tree.save("fs/inline.h", before, before));
  assert.deepEqual([...sources].sort(), ["fs/main.c", "fs/value.c"]);
  assert.equal(tree.run(), "1 1\n");
});
