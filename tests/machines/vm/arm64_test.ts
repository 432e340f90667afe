import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import type { CommandEnd, GuestOptions } from "../../../src/machines/machine.ts";
import { vmKernel } from "../../../src/machines/vm/vm_kernel.ts";
import { VmMachine } from "../../../src/machines/vm/vm_machine.ts";
import { readRun } from "../../../src/record/read_run.ts";
import { runtimeName } from "../../../src/sys/runtime.ts";
import { Collector, KERNELCOV } from "../../_support/guest_run.ts";

// Needs a kernel and programs, which take long to make: scripts/checks/vm.ts names them.
const KERNEL = process.env["KERNELCOV_VM_KERNEL_ARM64"];
const SLOW = {
  timeout: 1_200_000,
  skip: KERNEL === undefined && "KERNELCOV_VM_KERNEL_ARM64 names no kernel",
};
const RUNNER = runtimeName() === "bun"
  ? ["bun", "test", "--timeout", "600000"]
  : ["deno", "test", "-A", "--no-check"];

/** Runs a shell script in a virtual machine. */
async function inVm(
  script: string,
  options: GuestOptions = {},
): Promise<CommandEnd & { stdout: string; stderr: string }> {
  const stdout = new Collector();
  const stderr = new Collector();
  const machine = new VmMachine(vmKernel(KERNEL!)!, options);
  const end = await machine.run({ command: ["sh", "-c", script], stdin: null, stdout, stderr });
  return { ...end, stdout: stdout.text, stderr: stderr.text };
}

test(
  "it runs programs of its own, refuses the host's in words, and writes to the named folder",
  SLOW,
  async () => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "kernelcov-arm64-")));
    try {
      writeFileSync(join(folder, "of the host"), "text\n");
      const { exitStatus, stdout, stderr } = await inVm(
        `uname -m; cat '${folder}/of the host'; echo new >'${folder}/new'; command -v ${runtimeName()}; exit 7`,
        { write: [folder] },
      );
      assert.equal(exitStatus, 7, stderr);
      assert.equal(stdout, `aarch64\ntext\n/usr/local/bin/${runtimeName()}\n`);
      assert.equal(readFileSync(join(folder, "new"), "utf8"), "new\n");
      if (process.arch === "arm64") return;
      // A copy: programs of the host's own folders are hidden.
      const program = join(folder, "program");
      copyFileSync("/bin/true", program);
      const errors = new Collector();
      const machine = new VmMachine(vmKernel(KERNEL!)!);
      const refused = await machine.run({ command: [program], stdin: null, stderr: errors });
      assert.equal(refused.exitStatus, 126);
      assert.match(
        errors.text,
        /it is a program for another processor than this machine's, which is aarch64/,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

test("tests are recorded, one by one, with lines of the tree", SLOW, () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "kernelcov-arm64-")));
  try {
    writeFileSync(
      join(folder, "a.test.ts"),
      `import { test } from "node:test";
       import { readFileSync, writeFileSync } from "node:fs";
       test("reads", () => { readFileSync("/proc/version"); });
       test("writes", () => { writeFileSync("/tmp/file", "text"); });`,
    );
    const args = ["test", "--kernel", KERNEL!, "--", ...RUNNER, "./a.test.ts"];
    const { status, stdout, stderr } = spawnSync(KERNELCOV, args, {
      cwd: folder,
      encoding: "utf8",
    });
    assert.equal(status, 0, stdout + stderr);
    const names = readRun(join(folder, "coverage/kernel/run")).records.map(({ name }) => name);
    assert.ok(names.includes("reads") && names.includes("writes"), names.join());
    const lcov = readFileSync(join(folder, "coverage/kernel/lcov.info"), "utf8");
    const file = lcov.split("end_of_record").find((part) =>
      /^SF:.*fs\/proc\/version\.c$/m.test(part)
    );
    assert.match(file ?? "", /^FNDA:1,version_proc_show$/m);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
