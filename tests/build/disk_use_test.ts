import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { builtDiskUse, diskUse } from "../../src/build/disk_use.ts";

const KB = 1024;
let folder: string, ended: string, deep: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kernelcov-disk-use-"));
  ended = join(folder, "kernel.json");
  deep = join(folder, "source/fs/ext4");
  mkdirSync(deep, { recursive: true });
  writeFileSync(join(deep, "inode.c"), new Uint8Array(256 * KB).fill(1));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("the folders of what was built are measured once for each build, its own files each time", () => {
  writeFileSync(ended, "{}");
  const first = builtDiskUse(folder, ended);
  assert.ok(first >= 256 * KB && first <= diskUse(folder), `${first}`);
  // What is added below is not looked for,
  writeFileSync(join(deep, "super.c"), new Uint8Array(512 * KB).fill(1));
  const second = builtDiskUse(folder, ended);
  assert.ok(second - first < 16 * KB, `${second - first}: measured again`);
  // but what is added beside it is,
  writeFileSync(join(folder, "vmlinux"), new Uint8Array(512 * KB).fill(1));
  const third = builtDiskUse(folder, ended);
  assert.ok(third - second >= 512 * KB, `${third - second}`);
  // and all that another build made.
  utimesSync(ended, 1, 1);
  const last = builtDiskUse(folder, ended);
  assert.ok(last - third >= 512 * KB, `${last - third}`);
  assert.equal(last, diskUse(folder));
});

test("nothing is noted of a build that has not ended, or by a damaged note", () => {
  assert.equal(builtDiskUse(folder, ended), diskUse(folder));
  assert.equal(existsSync(join(folder, "disk_use.json")), false);
  writeFileSync(ended, "{}");
  writeFileSync(join(folder, "disk_use.json"), '{"build":');
  assert.ok(builtDiskUse(folder, ended) >= 256 * KB);
});
