import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { mirrorTree } from "../../../src/build/tree/mirror_tree.ts";

interface Places {
  readonly tree: string;
  readonly mirror: string;
  readonly state: string;
}

function inTree(files: Record<string, string>, body: (places: Places) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-mirror-"));
  try {
    const tree = join(folder, "tree");
    for (const [path, text] of Object.entries(files)) write(tree, path, text);
    body({ tree, mirror: join(folder, "mirror"), state: join(folder, "state") });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function write(tree: string, path: string, text: string): void {
  mkdirSync(dirname(join(tree, path)), { recursive: true });
  writeFileSync(join(tree, path), text);
}

function listing(folder: string): string[] {
  return (readdirSync(folder, { recursive: true }) as string[])
    .filter((path) => !statSync(join(folder, path)).isDirectory()).sort();
}

const FILES = {
  "Makefile": "all:",
  "fs/pipe.c": "int pipe;",
  "fs/Kconfig": "config A",
  "drivers/gpu/card.c": "int card;",
  "drivers/gpu/Kconfig": "config CARD",
  "arch/um/kernel/vmlinux.lds.S": "SECTIONS",
};

test("a tree is copied once, then what has changed, and is itself only read", () =>
  inTree(FILES, ({ tree, mirror, state }) => {
    symlinkSync("pipe.c", join(tree, "fs/link.c"));
    const before = listing(tree).map((path) => [path, statSync(join(tree, path)).ctimeMs]);
    const first = mirrorTree(tree, mirror, state);
    assert.equal(first.first, true);
    assert.equal(readlinkSync(join(mirror, "fs/link.c")), "pipe.c");
    assert.equal(readFileSync(join(mirror, "fs/pipe.c"), "utf8"), "int pipe;");
    // What user-mode Linux cannot have is left out, but not its part of the configuration.
    assert.ok(!existsSync(join(mirror, "drivers/gpu/card.c")));
    assert.ok(existsSync(join(mirror, "drivers/gpu/Kconfig")));
    assert.deepEqual(mirrorTree(tree, mirror, state).changed, []);
    assert.deepEqual(
      listing(tree).map((path) => [path, statSync(join(tree, path)).ctimeMs]),
      before,
    );

    write(tree, "fs/pipe.c", "int tube;"); // of the same size
    utimesSync(join(tree, "fs/pipe.c"), 1e9, 1e9); // and older: as a checkout may leave it
    write(tree, "fs/new.c", "");
    rmSync(join(tree, "Makefile"));
    const copied = statSync(join(mirror, "fs/pipe.c")).mtimeMs;
    const { changed, removed } = mirrorTree(tree, mirror, state);
    assert.deepEqual([...changed].sort(), ["fs/new.c", "fs/pipe.c"]);
    assert.deepEqual(removed, ["Makefile"]);
    assert.equal(readFileSync(join(mirror, "fs/pipe.c"), "utf8"), "int tube;");
    assert.ok(statSync(join(mirror, "fs/pipe.c")).mtimeMs >= copied, "newer than its object");
    assert.ok(!existsSync(join(mirror, "Makefile")));
  }));

test("what a build of the user's left in the tree is not copied", () =>
  inTree({
    ...FILES,
    "fs/pipe.o": "",
    "fs/.pipe.o.cmd": "",
    "fs/built-in.a": "",
    "vmlinux": "",
    "vmlinux.o": "",
    ".config": "CONFIG_X86=y",
    "include/config/auto.conf": "",
    "include/generated/autoconf.h": "",
    "arch/x86/include/generated/asm/x.h": "",
    ".git/HEAD": "",
  }, ({ tree, mirror, state }) => {
    mirrorTree(tree, mirror, state);
    assert.deepEqual(
      listing(mirror),
      Object.keys(FILES).filter((path) => path !== "drivers/gpu/card.c").sort(),
    );
  }));

test("all of a tree is mirrored where that was asked for once", () =>
  inTree(FILES, ({ tree, mirror, state }) => {
    mirrorTree(tree, mirror, state);
    assert.deepEqual(mirrorTree(tree, mirror, state, { all: true }).changed, [
      "drivers/gpu/card.c",
    ]);
    assert.deepEqual(mirrorTree(tree, mirror, state).removed, []);
    assert.ok(existsSync(join(mirror, "drivers/gpu/card.c")));
  }));

test("single paths are looked at alone, and a mirror without its state is made anew", () =>
  inTree(FILES, ({ tree, mirror, state }) => {
    mirrorTree(tree, mirror, state);
    write(tree, "fs/pipe.c", "int changed;");
    write(tree, "Makefile", "none: too");
    const only = ["fs/pipe.c", "fs/pipe.o", "fs/gone.c"];
    assert.deepEqual(mirrorTree(tree, mirror, state, { only }).changed, ["fs/pipe.c"]);
    assert.deepEqual(mirrorTree(tree, mirror, state).changed, ["Makefile"]);
    rmSync(state);
    write(mirror, "fs/stale.c", "");
    assert.equal(mirrorTree(tree, mirror, state).first, true);
    assert.ok(!existsSync(join(mirror, "fs/stale.c")));
  }));
