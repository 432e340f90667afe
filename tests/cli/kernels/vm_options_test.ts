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

test("what a configuration lacks is named by option, as a fragment for it", SLOW, () => {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-vm-"));
  try {
    const needed = kernelcov(["kernel", "config", "--vm", "--arch", "arm64"]).stdout;
    const path = join(folder, ".config");
    const lacks = (text: string) => {
      writeFileSync(path, text);
      const { status, stdout, stderr } = kernelcov(["kernel", "config", "--vm", folder]);
      assert.equal(status, 0, stderr);
      return { stdout, stderr };
    };
    const all = `CONFIG_ARM64=y\n${needed}`
      // Process 1 loads these; the other is read as well.
      .replace("CONFIG_9P_FS=y", "CONFIG_9P_FS=m").replace(
        "CONFIG_OVERLAY_FS=y",
        "CONFIG_OVERLAY_FS=m",
      )
      .replace("CONFIG_DEBUG_INFO_DWARF5=y", "CONFIG_DEBUG_INFO_DWARF4=y");
    assert.deepEqual(lacks(all), {
      stdout: "",
      stderr: `kernelcov: ${path} has all that a virtual machine needs\n`,
    });
    const { stdout, stderr } = lacks(
      all.replace("CONFIG_KCOV=y\n", "").replace("CONFIG_TMPFS=y", "CONFIG_TMPFS=m")
        .replace("CONFIG_EPOLL=y", "# CONFIG_EPOLL is not set"),
    );
    assert.equal(
      stdout,
      `# To start: an initramfs, the line to it, and the host's files below an overlay.
# instead of m:
CONFIG_TMPFS=y

# To run programs.
CONFIG_EPOLL=y

# To record.
CONFIG_KCOV=y
`,
    );
    assert.match(stderr, /lacks 3 of the options that a virtual machine needs\n$/);
    // What is printed is what it takes.
    assert.equal(lacks(`${all}${stdout}`).stdout, "");
    const refused = (...args: string[]) => {
      const { status, stderr } = kernelcov(["kernel", "config", "--vm", ...args]);
      return [status, stderr.split("\n")[0]];
    };
    writeFileSync(path, needed);
    assert.deepEqual(refused(path), [
      1,
      `kernelcov: ${path} is not a whole configuration of x86_64 or arm64: name the .config of a build`,
    ]);
    assert.deepEqual(refused(join(folder, "lost")), [
      1,
      `kernelcov: Cannot read ${folder}/lost: name the .config of a kernel`,
    ]);
    assert.equal(refused(path, "more")[0], 2);
    assert.equal(refused("--arch", "arm64", path)[0], 2);
  } finally {
    rmSync(folder, { recursive: true });
  }
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
