import assert from "node:assert/strict";
import { test } from "node:test";
import { foldPath, kernelPath, sourceRoots } from "../../src/symbolize/index/source_paths.ts";

test("foldPath() folds dots and doubled slashes, and leaves what leads out of a relative path", () => {
  const folded: [string, string][] = [
    ["/usr/src/linux/./include/linux/list.h", "/usr/src/linux/include/linux/list.h"],
    ["/build/../src//fs/pipe.c", "/src/fs/pipe.c"],
    ["fs/../mm/./slub.c", "mm/slub.c"],
    ["../kernel/fork.c", "../kernel/fork.c"],
    ["/../a.c", "/a.c"],
    ["a..b/c.c", "a..b/c.c"],
  ];
  for (const [path, expected] of folded) assert.equal(foldPath(path), expected);
});

/** Kernel paths of `paths`, whose roots they tell themselves. */
function relative(paths: readonly string[], folders: readonly string[]): string[] {
  const roots = sourceRoots(paths, folders);
  return paths.map((path) => kernelPath(path, roots));
}

test("a tree that was built in place is cut off the front of its paths", () => {
  const paths = ["/usr/src/linux-6.12/init/main.c", "/usr/src/linux-6.12/./include/linux/list.h"];
  assert.deepEqual(relative(paths, ["/usr/src/linux-6.12"]), [
    "init/main.c",
    "include/linux/list.h",
  ]);
});

test("sources and generated files of a build folder apart are both relative", () => {
  const paths = [
    "/home/u/out/../linux/fs/pipe.c",
    "/home/u/linux/include/linux/kernel.h",
    "/home/u/out/./include/generated/asm-offsets.h",
  ];
  assert.deepEqual(relative(paths, ["/home/u/out"]), [
    "fs/pipe.c",
    "include/linux/kernel.h",
    "include/generated/asm-offsets.h",
  ]);
});

test("Debian's source prefix and build folder are recognised", () => {
  const paths = [
    "/build/reproducible-path/linux-6.12.5/init/main.c",
    "/build/reproducible-path/linux-6.12.5/debian/build/build_amd64/arch/x86/include/generated/a.h",
  ];
  assert.deepEqual(
    relative(paths, ["/build/reproducible-path/linux-6.12.5/debian/build/build_amd64"]),
    [
      "init/main.c",
      "arch/x86/include/generated/a.h",
    ],
  );
});

test("a module built outside the tree keeps the paths of its own files", () => {
  const paths = ["/home/u/driver/driver.c", "/usr/src/linux/include/linux/types.h"];
  assert.deepEqual(relative(paths, ["/usr/src/linux"]), [
    "/home/u/driver/driver.c",
    "include/linux/types.h",
  ]);
});

test("a folder whose name only begins like a root is not cut", () => {
  assert.equal(
    kernelPath("/usr/src/linux-next/fs/a.c", ["/usr/src/linux"]),
    "/usr/src/linux-next/fs/a.c",
  );
});
