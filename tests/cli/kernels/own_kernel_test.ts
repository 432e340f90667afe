import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { runtimeName } from "../../../src/sys/runtime.ts";
import { buildEmbeddedKernel } from "../../../src/build/build_kernel.ts";
import { ownKernel } from "../../../src/machines/uml/uml_kernel.ts";
import { startKernelcov } from "../../_support/guest_run.ts";
import { seccompKernel } from "../../_support/images/seccomp_kernel.ts";
import { SmallImage } from "../../_support/images/small_image.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const FOLDER = mkdtempSync(join(tmpdir(), "kernelcov-own-"));
after(() => rmSync(FOLDER, { recursive: true }));
/** A cache without any kernel: only the named one can be run, and be found by the reports. */
const CACHE = join(FOLDER, "cache");
const EMBEDDED = await buildEmbeddedKernel();
const TREE = join(FOLDER, "tree");
mkdirSync(TREE);
for (const name of ["linux", "vmlinux"] as const) {
  symlinkSync(EMBEDDED[name], join(TREE, name));
}

function kernelcov(args: readonly string[]): ReturnType<typeof startKernelcov>["ended"] {
  const env = { XDG_CACHE_HOME: CACHE, KERNELCOV_RUN: "", KERNELCOV_VMLINUX: "" };
  return startKernelcov(args, { cwd: ROOT, env }).ended;
}

test("kernel run --kernel runs a command in a kernel of one's own", async () => {
  for (const path of [TREE, join(TREE, "vmlinux")]) {
    const command = ["kernel", "run", "--kernel", path, "--", "sh", "-c", "uname -r"];
    const { status, stdout, stderr } = await kernelcov(command);
    assert.deepEqual([status, stderr], [0, ""]);
    assert.match(stdout, /^6\.\d+\.\d+\S*-kernelcov$/m);
  }
});

test("a kernel that can do without ptrace is told to", () => {
  assert.deepEqual(ownKernel(TREE).parameters, []);
  const newer = join(FOLDER, "newer");
  writeFileSync(newer, seccompKernel(EMBEDDED.linux));
  assert.deepEqual(ownKernel(newer).parameters, ["seccomp=auto"]);
});

test("whether a kernel has collectors is known from its file", () => {
  assert.equal(ownKernel(TREE).collectors, true);
  const without = join(FOLDER, "without");
  const renamed = "kcov_collector_ioctl=kcov_other_ioctl";
  execFileSync("objcopy", ["--redefine-sym", renamed, EMBEDDED.linux, without]);
  assert.equal(ownKernel(without).collectors, false);
});

test("--append adds to the kernel's command line", async () => {
  const command = ["kernel", "run", "--kernel", TREE, "--append", "um_fault_around=0"];
  const { status, stdout } = await kernelcov([...command, "--", "cat", "/proc/cmdline"]);
  assert.equal(status, 0);
  assert.match(stdout, / um_fault_around=0(\s|$)/);
});

for (const scope of ["thread", "tree"]) {
  test(`test --kernel PATH covers tests in ${scope} scope, with the lines of that kernel`, async () => {
    const out = join(FOLDER, scope);
    const runner = runtimeName() === "deno"
      ? ["deno", "test", "-A", "--no-check"]
      : ["bun", "test"];
    const { status, stdout, stderr } = await kernelcov([
      ...["test", "--kernel", TREE, "--scope", scope, "--out", out],
      ...["--", ...runner, "./examples/pipes_test.ts"],
    ]);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^ *a pipe carries bytes +passed/m);
    assert.match(readFileSync(join(out, "lcov.info"), "utf8"), /^FNDA:[1-9]\d*,pipe_write$/m);
    const question = await kernelcov(["which", "pipe_write", "--run", out, "--plain"]);
    assert.equal(question.stderr, "");
    assert.match(question.stdout, /a pipe carries bytes$/m);
  });
}

test("a path without a kernel of user-mode Linux says what is needed", async () => {
  using image = new SmallImage();
  assert.throws(
    () => ownKernel(image.path),
    /is not a user-mode Linux kernel: build one with make/,
  );
  const empty = join(FOLDER, "empty");
  mkdirSync(empty);
  assert.throws(() => ownKernel(empty), /There is no kernel at .*: name the folder/);
  assert.throws(() => ownKernel(join(empty, "none")), TypeError);
  writeFileSync(join(empty, "linux"), "#!/bin/sh\n");
  const { status, stderr } = await kernelcov(["kernel", "run", "--kernel", empty, "--", "true"]);
  assert.equal(status, 1);
  assert.match(stderr, /^kernelcov: ELF/);
  const unknown = await kernelcov(["test", "--kernel", "nothing", "--", "true"]);
  assert.equal(unknown.status, 2);
  assert.match(unknown.stderr, /Unknown kernel "nothing": use auto, host, embedded or a path/);
});
