import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { KernelSources } from "../../src/run/kernel_sources.ts";

const FOLDER = mkdtempSync(join(tmpdir(), "kernelcov-sources-"));
after(() => rmSync(FOLDER, { recursive: true }));
const TREE = join(FOLDER, "tree");
mkdirSync(join(TREE, "fs/pipe.c"), { recursive: true });
writeFileSync(join(TREE, "fs/open.c"), "int open;\n");
writeFileSync(join(FOLDER, "secret"), "secret\n");
mkdirSync(join(FOLDER, "tree-other"));
writeFileSync(join(FOLDER, "tree-other/a.c"), "other\n");
symlinkSync("open.c", join(TREE, "fs/same.c"));
symlinkSync("../../secret", join(TREE, "fs/out.c"));
symlinkSync("round.c", join(TREE, "fs/round.c"));
symlinkSync(TREE, join(FOLDER, "link"));
execFileSync("mkfifo", [join(TREE, "fs/fifo.c")]);

test("sources are read below the root's real path only, whatever names and links say", () => {
  for (const root of [TREE, join(FOLDER, "link")]) {
    const sources = new KernelSources(root);
    assert.equal(sources.read("fs/open.c"), "int open;\n");
    assert.equal(sources.read("fs/same.c"), "int open;\n");
    assert.equal(sources.read(join(TREE, "fs/open.c")), "int open;\n");
    for (
      const outside of [
        "../secret",
        "fs/../../secret",
        "../../../../../../../../../../etc/passwd",
        "/etc/passwd",
        join(FOLDER, "secret"),
        "../tree-other/a.c",
        "fs/out.c",
      ]
    ) {
      assert.equal(sources.read(outside), undefined, outside);
      assert.equal(sources.readIfNewer(outside, 0), undefined, outside);
    }
  }
});

test("what is no regular file is no source", () => {
  const sources = new KernelSources(TREE);
  for (
    const name of ["fs/pipe.c", "fs/fifo.c", "fs/round.c", "fs/open.c/x", "fs/none.c", "", "fs"]
  ) {
    assert.equal(sources.read(name), undefined, name);
    assert.equal(sources.readIfNewer(name, 0), undefined, name);
  }
  assert.equal(new KernelSources(undefined).read("fs/open.c"), undefined);
});

test("a source is newer than an image where it was changed after it", () => {
  utimesSync(join(TREE, "fs/open.c"), 1000, 1000);
  const sources = new KernelSources(TREE);
  assert.equal(sources.readIfNewer("fs/open.c", 1_000_000), undefined);
  assert.equal(sources.readIfNewer("fs/open.c", 999_000)?.length, 10);
});
