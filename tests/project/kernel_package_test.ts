import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { after, before, test } from "node:test";
import { stageKernel } from "../../scripts/pack_kernel.ts";
import { runtimeName } from "../../src/sys/runtime.ts";

const SLOW = { timeout: 120_000 };
const root = join(import.meta.dirname!, "../..");
/** A checkout without packages of others, in which the kernel's is put. */
const folder = mkdtempSync(join(tmpdir(), "kernelcov-prebuilt-"));
const packageFolder = join(folder, "node_modules/kernelcov-kernel-linux-x64");
const cache = join(folder, "cache");
/** Where this machine's own cache has them. */
const cachedIndexes = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "kernelcov");
after(() => rmSync(folder, { recursive: true }));

before(async () => {
  cpSync(join(root, "src"), join(folder, "src"), { recursive: true });
  mkdirSync(packageFolder, { recursive: true });
  await stageKernel(packageFolder, "A Person <person@example.org>");
});

function kernelcov(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(join(folder, "src/cli/kernelcov"), args, {
    encoding: "utf8",
    env: {
      ...process.env,
      NO_COLOR: "1",
      KERNELCOV_RUNTIME: runtimeName(),
      XDG_CACHE_HOME: cache,
      PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
    },
  });
}

test("a kernel that came as a package boots without a build", SLOW, () => {
  const { status, stdout, stderr } = kernelcov("kernel", "run", "--", "uname", "-r");
  assert.equal(status, 0, stderr);
  assert.match(stdout, /kernelcov/);
  assert.doesNotMatch(stderr, /Building/);
  assert.equal(kernelcov("kernel", "path").stdout, `${join(packageFolder, "vmlinux")}\n`);
});

test("what it recorded is reported with its image and its sources", SLOW, () => {
  // The index of the image is known by its build id: it need not be made again.
  const index = join(cachedIndexes, "index");
  mkdirSync(join(cache, "kernelcov"), { recursive: true });
  if (existsSync(index)) symlinkSync(index, join(cache, "kernelcov/index"));
  const out = join(folder, "coverage");
  const recorded = kernelcov(
    "record",
    "--kernel",
    "embedded",
    "--out",
    out,
    "--",
    "cat",
    "/etc/hostname",
  );
  assert.equal(recorded.status, 0, recorded.stderr);
  assert.doesNotMatch(recorded.stderr, /Building/);
  const { stdout, stderr } = kernelcov("which", "vfs_read", "--run", join(out, "run"));
  assert.match(stdout, /^vfs_read \(fs\/read_write\.c:\d+\)$/m, stderr);
  const files = readFileSync(join(out, "lcov.info"), "utf8");
  assert.ok(files.includes(`SF:${join(packageFolder, "source/fs/read_write.c")}\n`));
});

test("its package has licence texts, the offer of the source, patches, and sources for reports", () => {
  const read = (name: string): string => readFileSync(join(packageFolder, name), "utf8");
  assert.match(read("LICENSES/preferred/GPL-2.0"), /GNU GENERAL PUBLIC LICENSE/);
  assert.match(read("LICENSES/library/LGPL-2.1"), /GNU LESSER GENERAL PUBLIC LICENSE/);
  const offer = read("SOURCE.md");
  assert.match(offer, /A Person <person@example\.org>/);
  assert.match(offer, /three years/);
  const { recipe, sourceVersion } = JSON.parse(read("kernel.json"));
  assert.ok(offer.includes(sourceVersion));
  assert.ok(read("package.json").includes(recipe));
  assert.equal(
    read("recipe/kcov.patch"),
    readFileSync(join(root, "src/build/recipe/kcov.patch"), "utf8"),
  );
  assert.match(read("source/fs/pipe.c"), /pipe_write/);
  assert.equal(statSync(join(packageFolder, "linux")).mode & 0o111, 0o111);
});

test("a package of another recipe is not taken", SLOW, () => {
  const manifest = join(packageFolder, "kernel.json");
  const text = readFileSync(manifest, "utf8");
  writeFileSync(manifest, text.replace(/"recipe": "\w+"/, '"recipe": "0"'));
  const { status, stderr } = kernelcov("kernel", "path");
  writeFileSync(manifest, text);
  assert.equal(status, 3);
  assert.match(stderr, /not built yet/);
});
