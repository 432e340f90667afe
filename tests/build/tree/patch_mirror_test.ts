import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { KcovUnavailableError } from "../../../src/errors.ts";
import { mirrorTree } from "../../../src/build/tree/mirror_tree.ts";
import {
  patchedFiles,
  type PatchedTree,
  patchMirror,
} from "../../../src/build/tree/patch_mirror.ts";
import { patchesFor, type TreePatch } from "../../../src/build/tree/tree_patches.ts";

const KCOV = ["int a;", "int b;", "int c;", ""].join("\n");

/** A made-up tree and what is kept of it. */
class Tree {
  readonly folder = mkdtempSync(join(tmpdir(), "kernelcov-patch-"));
  readonly path = join(this.folder, "tree");
  readonly mirror = join(this.folder, "mirror");

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.path, path)), { recursive: true });
    writeFileSync(join(this.path, path), text);
  }

  patch(
    name: string,
    series: readonly [number, number],
    [from, to]: readonly [string, string],
    rest: Partial<TreePatch> = {},
  ): TreePatch {
    const text = `--- a/kernel/kcov.c\n+++ b/kernel/kcov.c\n@@ -2 +2 @@\n-${from}\n+${to}\n`;
    const file = join(this.folder, `${name}-${series.join(".")}.patch`);
    writeFileSync(file, text);
    const variants = [{ file, series, text, files: ["kernel/kcov.c"] }, ...rest.variants ?? []];
    return { name, needs: [], required: false, lack: `no ${name}`, ...rest, variants };
  }

  apply(patches: readonly TreePatch[], series: readonly [number, number] = [6, 12]): PatchedTree {
    const tree = { path: this.path, version: `${series.join(".")}.1`, series };
    const except = patchedFiles(patches);
    const { stamps } = mirrorTree(this.path, this.mirror, join(this.folder, "scan"), { except });
    const places = {
      tree: this.path,
      mirror: this.mirror,
      added: join(this.folder, "added"),
      state: join(this.folder, "patches"),
    };
    return patchMirror(tree, places, stamps, patches);
  }

  mirrored(): string {
    return readFileSync(join(this.mirror, "kernel/kcov.c"), "utf8").replace(/^#line.*\n/gm, "");
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }
}

function tree(text = KCOV): Tree {
  const made = new Tree();
  made.write("kernel/kcov.c", text);
  return made;
}

test("of the forms of a patch the first that fits is applied", () => {
  using made = tree();
  const older = made.patch("kcov", [6, 1], ["int x;", "int older;"]);
  const patch = made.patch("kcov", [6, 12], ["int b;", "int newer;"]);
  const both = { ...patch, variants: [...older.variants, ...patch.variants] };
  assert.deepEqual(made.apply([both]).applied, ["kcov"]);
  assert.equal(made.mirrored(), KCOV.replace("int b;", "int newer;"));
  assert.equal(readFileSync(join(made.path, "kernel/kcov.c"), "utf8"), KCOV);
});

test("a patch that was made for the version and does not fit is an error with file and hunk", () => {
  using made = tree(KCOV.replace("int b;", "int mine;"));
  assert.throws(
    () => made.apply([made.patch("kcov", [6, 12], ["int b;", "int newer;"])]),
    (error) =>
      error instanceof KcovUnavailableError &&
      /kcov-6\.12\.patch does not fit Linux 6\.12\.1 in .*: kernel\/kcov\.c, hunk 1, at line 2: undo .* --no-patch/
        .test(error.message),
  );
});

test("a patch for other versions that does not fit is left out, in words, with those that need it", () => {
  using made = tree();
  const first = made.patch("first", [6, 12], ["int x;", "int y;"]);
  const second = made.patch("second", [6, 12], ["int b;", "int y;"], { needs: ["first"] });
  const third = made.patch("third", [6, 12], ["int b;", "int third;"]);
  const { applied, leftOut } = made.apply([first, second, third], [6, 18]);
  assert.deepEqual(applied, ["third"]);
  assert.deepEqual(leftOut, [
    { name: "first", lack: "no first" },
    { name: "second", lack: "no second" },
  ]);
  const required = { ...first, required: true };
  assert.throws(() => made.apply([required], [6, 18]), /hunk 1, at line 2/);
});

test("a changed tree is patched again, and what no patch changes any more is the tree's", () => {
  using made = tree();
  const patch = made.patch("kcov", [6, 12], ["int b;", "int newer;"]);
  const again = [made.apply([patch]), made.apply([patch])];
  assert.equal(again[0].key, again[1].key);
  made.write("kernel/kcov.c", `${KCOV}int more;\n`);
  made.apply([patch]);
  assert.match(made.mirrored(), /int newer;\nint c;\nint more;/);
  made.write("fs/pipe.c", "");
  const other = { ...patch, variants: [{ ...patch.variants[0], text: "", files: [] }] };
  writeFileSync(
    other.variants[0].file,
    "--- a/fs/pipe.c\n+++ b/fs/pipe.c\n@@ -0,0 +1 @@\n+int p;\n",
  );
  const moved = { ...other, variants: [{ ...other.variants[0], text: "x", files: ["fs/pipe.c"] }] };
  made.apply([moved]);
  assert.equal(made.mirrored(), `${KCOV}int more;\n`);
  assert.ok(existsSync(join(made.mirror, "fs/pipe.c")));
});

test("where the current task is a variable, nothing is compared with the task of the stack", () => {
  using made = tree();
  const patch = made.patch("kcov", [6, 12], ["int b;", "READ_ONCE(cpu_tasks[0].task);"]);
  made.apply([patch], [6, 16]);
  assert.match(made.mirrored(), /cpu_tasks/);
  made.write("arch/um/include/asm/current.h", "");
  made.write("kernel/kcov.c", `${KCOV}\n`);
  made.apply([patch], [6, 16]);
  assert.match(made.mirrored(), /^current;$/m);
});

test("each version gets the forms made for it first", () => {
  const names = (series: readonly [number, number]): Map<string, string[]> =>
    new Map(
      patchesFor({ series }).map(({ name, variants }) => [
        name,
        variants.map((variant) => variant.series.join(".")),
      ]),
    );
  assert.deepEqual(names([6, 1]).get("kcov"), ["6.1", "6.12"]);
  assert.deepEqual(names([6, 6]).get("kcov"), ["6.1", "6.12"]);
  assert.deepEqual(names([6, 18]).get("kcov"), ["6.12", "6.1"]);
  // What it mends came later.
  assert.equal(names([6, 1]).has("killed_fork"), false);
});
