import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { runtimeName } from "../../../src/sys/runtime.ts";
import { KERNELCOV } from "../../_support/guest_run.ts";
import { spawnSync } from "../../_support/spawn_sync.ts";

const SLOW = { timeout: 60_000 };

/** Runs the command with this runtime. */
function kernelcov(args: string[], env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(KERNELCOV, args, {
    encoding: "utf8",
    env: { ...process.env, KERNELCOV_RUNTIME: runtimeName(), ...env },
  });
  return { status, stdout, stderr };
}

test("the options that a machine needs are printed for one architecture", SLOW, () => {
  const arm64 = kernelcov(["kernel", "config", "--vm", "--arch", "arm64"]);
  assert.equal(arm64.status, 0, arm64.stderr);
  for (const line of arm64.stdout.split("\n")) assert.match(line, /^(#.*|CONFIG_\w+=y|)$/);
  assert.match(arm64.stdout, /^CONFIG_9P_FS=y$/m);
  assert.match(arm64.stdout, /^CONFIG_SERIAL_AMBA_PL011=y$/m);
  assert.doesNotMatch(kernelcov(["kernel", "config", "--vm", "--arch", "x86_64"]).stdout, /AMBA/);
  const unknown = kernelcov(["kernel", "config", "--vm", "--arch", "mips"]);
  assert.deepEqual([unknown.status, unknown.stderr.split("\n")[0]], [
    2,
    'kernelcov: Unknown architecture "mips": use x86_64 or arm64',
  ]);
  assert.equal(kernelcov(["kernel", "config"]).status, 2);
});

test("a number of processors is checked, and user-mode Linux has one", SLOW, () => {
  for (const cpus of ["0", "65", "two"]) {
    const { status, stderr } = kernelcov(["kernel", "run", "--cpus", cpus, "--", "true"]);
    assert.equal(status, 2);
    assert.match(stderr, new RegExp(`--cpus ${cpus} is not a number from 1 to 64`));
  }
  const { status, stderr } = kernelcov(["kernel", "run", "--cpus", "2", "--", "true"]);
  assert.equal(status, 1);
  assert.match(stderr, /^kernelcov: User-mode Linux has one processor: leave --cpus out/);
});

test("a kernel without its image is told what to do", SLOW, () => {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-vm-"));
  try {
    const image = new Uint8Array(0x1000);
    image.set(new TextEncoder().encode("HdrS"), 0x202);
    const path = join(folder, "kernel");
    writeFileSync(path, image);
    const run = ["kernel", "run", "--kernel", path, "--", "true"];
    const lone = kernelcov(run, { KERNELCOV_VMLINUX: "" });
    assert.equal(lone.status, 1);
    assert.match(lone.stderr, /There is no vmlinux with debug information beside .*: put it there/);
    const lost = kernelcov(run, { KERNELCOV_VMLINUX: join(folder, "lost") });
    assert.equal(lost.status, 1);
    assert.match(lost.stderr, /There is no vmlinux at .*lost: name one with debug information/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
