import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { neededPackages, packageVersion } from "../../src/build/debian_packages.ts";
import { SyscallError } from "../../src/errors.ts";
import {
  cacheFolder,
  COMPILER_OPTIONS,
  kernelFolderName,
  kernelPatches,
  kernelsFolder,
  RECIPE_FOLDER,
  recipeHash,
  SOURCE_PACKAGE,
} from "../../src/build/kernel_folder.ts";

test("a kernel's folder differs when the source, the recipe or the compiler does", () => {
  const names = [
    kernelFolderName("r", "6.12.1-1", "gcc 12"),
    kernelFolderName("s", "6.12.1-1", "gcc 12"),
    kernelFolderName("r", "6.12.2-1", "gcc 12"),
    kernelFolderName("r", "6.12.1-1", "gcc 13"),
  ];
  assert.equal(new Set(names).size, 4);
  assert.equal(kernelFolderName("r", "6.12.1-1", "gcc 12"), names[0]);
});

test("a folder's name begins with the version and is one that make accepts: no colon, no space", () => {
  assert.match(
    kernelFolderName("r", "1:6.12.1-1~deb12u1", "gcc"),
    /^1_6\.12\.1-1~deb12u1-[0-9a-f]{12}$/,
  );
});

test("the recipe is the same each time it is read", () => {
  assert.match(recipeHash(), /^[0-9a-f]{16}$/);
  assert.equal(recipeHash(), recipeHash());
});

function withCacheHome(value: string, body: () => void): void {
  const before = process.env["XDG_CACHE_HOME"];
  process.env["XDG_CACHE_HOME"] = value;
  try {
    body();
  } finally {
    if (before === undefined) delete process.env["XDG_CACHE_HOME"];
    else process.env["XDG_CACHE_HOME"] = before;
  }
}

test("XDG_CACHE_HOME moves the kernels, unless it is relative", () => {
  withCacheHome("/somewhere", () => {
    assert.equal(kernelsFolder(), "/somewhere/kernelcov/kernels");
  });
  withCacheHome("elsewhere", () => {
    assert.match(kernelsFolder(), /^\/.*\/\.cache\/kernelcov\/kernels$/);
  });
});

test("a cache folder that cannot be made is the system's refusal, with what to change", () => {
  withCacheHome("/dev/null", () => {
    assert.throws(cacheFolder, (error) => {
      assert.ok(error instanceof SyscallError);
      assert.equal(error.code, "ENOTDIR");
      assert.equal(error.errno, 20);
      assert.match(
        error.message,
        /^Cannot write to the cache folder \/dev\/null\/kernelcov: ENOTDIR: set /,
      );
      return true;
    });
  });
});

test("the packages that a build needs include its source and its compiler, each once", () => {
  const packages = neededPackages();
  assert.ok(packages.includes(SOURCE_PACKAGE));
  assert.ok(packages.includes("gcc"));
  assert.equal(new Set(packages).size, packages.length);
  assert.ok(packages.every((name) => /^[a-z0-9][a-z0-9.+-]+$/.test(name)));
});

test("packageVersion knows what is installed and what is not", () => {
  assert.match(packageVersion("libc6-dev") ?? "", /^\d/);
  assert.equal(packageVersion("no-such-package-as-this"), undefined);
});

test("every coverage point can be found and every kernel file names its licence", () => {
  assert.ok(COMPILER_OPTIONS.includes("-mcmodel=small"));
  assert.ok(COMPILER_OPTIONS.includes("-fno-optimize-sibling-calls"));
  for (const name of ["config", ...kernelPatches()]) {
    assert.match(
      readFileSync(join(RECIPE_FOLDER, name), "utf8").split("\n")[0]!,
      /SPDX-License-Identifier: GPL-2\.0$/,
    );
  }
});
