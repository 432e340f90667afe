import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { withLock } from "../../../src/build/build_lock.ts";
import { buildLock } from "../../../src/build/cached_kernels.ts";
import { startKernelcov } from "../../_support/guest_run.ts";
import { SmallImage } from "../../_support/images/small_image.ts";

const IMAGE = new SmallImage();
after(() => IMAGE[Symbol.dispose]());
const CACHE = join(IMAGE.folder, "cache");
const KERNELS = join(CACHE, "kernelcov/kernels");

/** A kernel of another recipe, built to the end, an interrupted build, and one that this process runs. */
function fillCache(): void {
  for (const name of ["built", "interrupted", "running"]) {
    mkdirSync(join(KERNELS, name, "source"), { recursive: true });
  }
  const manifest = { recipe: "another", sourceVersion: "6.12.1-1", compiler: "gcc", files: 1 };
  writeFileSync(join(KERNELS, "built/kernel.json"), JSON.stringify(manifest));
  copyFileSync(IMAGE.path, join(KERNELS, "built/vmlinux"));
}

function kernelcov(args: readonly string[]): ReturnType<typeof startKernelcov>["ended"] {
  const env = { XDG_CACHE_HOME: CACHE, KERNELCOV_VMLINUX: "" };
  return startKernelcov(args, { cwd: IMAGE.folder, env }).ended;
}

test("a run is reported with the older kernel that it was recorded on, until that is pruned", async () => {
  fillCache();
  const run = IMAGE.writeRun("run", [IMAGE.record("writes", IMAGE.pcsOf("pipe_write"))]);
  const report = ["report", run, "--out", join(IMAGE.folder, "out")];
  const first = await kernelcov(report);
  assert.deepEqual([first.status, first.stderr], [0, ""]);
  assert.match(first.stdout, /writes +passed/);
  const indexes = join(CACHE, "kernelcov/index");
  assert.deepEqual(readdirSync(indexes), [`${IMAGE.index.buildId}.index`]);

  await withLock(buildLock(join(KERNELS, "running")), () => {}, async () => {
    const list = JSON.parse((await kernelcov(["kernel", "list", "--json"])).stdout);
    assert.deepEqual(
      list.map(({ name, state }: { name: string; state: string }) => [name, state]),
      [
        ["built", "of another source, configuration or compiler"],
        ["interrupted", "not built to the end"],
        ["running", `being built by process ${process.pid}`],
      ],
    );
    assert.match((await kernelcov(["kernel", "list"])).stdout, /^built +\d+ MB {2}of another/);
    const prune = await kernelcov(["kernel", "prune"]);
    assert.equal(prune.status, 0);
    assert.match(prune.stdout, /^Removed built \(\d+ MB\)\nRemoved interrupted \(\d+ MB\)\n$/);
    assert.match(prune.stderr, /running is left: process \d+ builds it/);
  });
  assert.deepEqual(readdirSync(KERNELS), ["running"]);
  assert.deepEqual(readdirSync(indexes), []);
  assert.ok(existsSync(IMAGE.path));
  const last = await kernelcov(report);
  assert.equal(last.status, 3);
  assert.match(last.stderr, /Cannot find the kernel's vmlinux/);
});
