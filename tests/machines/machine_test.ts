import assert from "node:assert/strict";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { Readable } from "node:stream";
import { test } from "node:test";
import { buildEmbeddedKernel } from "../../src/build/build_kernel.ts";
import { HERE } from "../../src/machines/here/here.ts";
import type { CommandEnd, Machine, MachineCommand } from "../../src/machines/machine.ts";
import { builtKernel } from "../../src/machines/uml/uml_kernel.ts";
import { UmlMachine } from "../../src/machines/uml/uml_machine.ts";
import { vmKernel } from "../../src/machines/vm/vm_kernel.ts";
import { VmMachine } from "../../src/machines/vm/vm_machine.ts";
import { Collector } from "../_support/guest_run.ts";

/** A kernel for virtual machines, which takes minutes to build: scripts/checks/vm.ts names one. */
const VM_KERNEL = process.env["KERNELCOV_VM_KERNEL"];

// What every machine keeps to: a further one is one line more.
const MACHINES: [name: string, machine: () => Machine | Promise<Machine>][] = [
  ["here", () => HERE],
  ["uml", async () => new UmlMachine(builtKernel(await buildEmbeddedKernel()))],
];
if (VM_KERNEL !== undefined) {
  MACHINES.push(["vm", () => new VmMachine(vmKernel(VM_KERNEL)!, { cpus: 2 })]);
}

/** Runs a shell script with no input but what `options` give. */
async function runScript(
  machine: Machine,
  script: string,
  options: Partial<MachineCommand> = {},
): Promise<CommandEnd & { stdout: string; stderr: string }> {
  const stdout = new Collector();
  const stderr = new Collector();
  const command = ["sh", "-c", script];
  const end = await machine.run({ stdin: null, stdout, stderr, ...options, command });
  return { ...end, stdout: stdout.text, stderr: stderr.text };
}

for (const [name, machineOf] of MACHINES) {
  const run = async (script: string, options?: Partial<MachineCommand>) =>
    await runScript(await machineOf(), script, options);

  test(`${name}: output, errors and the exit status are the command's`, async () => {
    assert.deepEqual(await run("echo out; echo err >&2; exit 41"), {
      exitStatus: 41,
      end: "exited",
      cut: undefined,
      stdout: "out\n",
      stderr: "err\n",
    });
  });

  test(`${name}: a signal that ends the command is told by its name and in the status`, async () => {
    const { exitStatus, end, cut } = await run("kill -KILL $$");
    assert.deepEqual([exitStatus, end, cut], [
      137,
      "exited",
      "The command was ended by SIGKILL",
    ]);
  });

  test(`${name}: the command gets the input to its end, or none`, async () => {
    const stdin = Readable.from([new TextEncoder().encode("one\n"), new TextEncoder().encode("2")]);
    assert.equal((await run("cat", { stdin })).stdout, "one\n2");
    assert.equal((await run("cat; echo end")).stdout, "end\n");
    const unread = Readable.from([new Uint8Array(300_000)]);
    assert.equal((await run("echo done", { stdin: unread })).stdout, "done\n");
  });

  test(`${name}: the command runs in the given folder with the given environment alone`, async () => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "kernelcov-machine-")));
    try {
      const env = { PATH: process.env["PATH"], A: "ü = 1", GONE: undefined };
      const { stdout } = await run("pwd; echo $A ${HOME-no home} ${GONE-gone}", {
        cwd: folder,
        env,
      });
      assert.equal(stdout, `${folder}\nü = 1 no home gone\n`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test(`${name}: a program that this machine runs passes its check`, async () => {
    (await machineOf()).check(["sh"], process.env);
  });
}

test("here: a program that is not there is an error that says so", async () => {
  await assert.rejects(HERE.run({ command: ["no-such-program"], stdin: null }), {
    name: "TypeError",
    message: "Cannot run no-such-program: check that it is installed",
  });
});
