import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { inGuest } from "../_support/guest_run.ts";

const SOURCE = fileURLToPath(new URL("../data/kernel_features.c", import.meta.url));

test("the kernel has every feature that its configuration promises", async () => {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-features-"));
  try {
    const program = join(folder, "kernel_features");
    execFileSync("gcc", ["-O1", "-w", "-o", program, SOURCE]);
    const run = await inGuest([program]);
    assert.equal(run.exitStatus, 0, run.stderr);
    const lines = run.stdout.trim().split("\n");
    assert.ok(lines.length > 40);
    assert.deepEqual(lines.filter((line) => !line.endsWith(" 0")), []);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("an ext4 file system in a file can be made, mounted over a loop device and written to", async () => {
  const run = await inGuest(
    `cd /dev/shm && truncate -s 32M image && /sbin/mkfs.ext4 -q image && mkdir m && mount -o loop image m &&
    echo kept > m/file && umount m && mount -o loop,ro image m && cat m/file && grep -c ' /dev/shm/m ext4 ro' /proc/mounts`,
  );
  assert.deepEqual([run.exitStatus, run.stdout], [0, "kept\n1\n"], run.stderr);
});
