import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { cpioArchive } from "../../../src/machines/vm/initramfs.ts";
import { KERNEL_MACHINES } from "../../../src/machines/vm/kernel_machines.ts";
import { vmConfiguration } from "../../../src/build/vm/vm_options.ts";
import { checkConfiguration } from "../../../src/machines/vm/needed_options.ts";
import { VmMachine, withPrograms } from "../../../src/machines/vm/vm_machine.ts";
import { runtimeName } from "../../../src/sys/runtime.ts";
import { explainVmFailure } from "../../../src/machines/vm/vm_failure.ts";
import {
  kernelParameters,
  qemuArguments,
  type VmBoot,
} from "../../../src/machines/vm/vm_process.ts";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

const BOOT: VmBoot = {
  machine: KERNEL_MACHINES.x86_64,
  launcher: "/l",
  qemu: "/q",
  accelerator: { name: "tcg", args: ["-accel", "tcg"] },
  kernel: "/k/bzImage",
  initramfs: "/c/initramfs",
  memoryBytes: 3 * 2 ** 30,
  cpus: 2,
  parameters: ["nokaslr"],
  write: ["/out", "/with,comma"],
};

test("the host's files can be read and the named folders written to", () => {
  const args = qemuArguments(BOOT, "/run/console");
  const exported = args.flatMap((arg, index) => arg === "-fsdev" ? [args[index + 1]] : []);
  assert.deepEqual(exported, [
    "local,id=host,path=/,security_model=none,multidevs=remap,readonly=on",
    "local,id=write0,path=/out,security_model=none,multidevs=remap",
    "local,id=write1,path=/with,,comma,security_model=none,multidevs=remap",
  ]);
  assert.equal(args[args.indexOf("-m") + 1], "3072M");
  assert.equal(args[args.indexOf("-smp") + 1], "2");
});

test("KASLR stays on unless it is asked away", () => {
  assert.match(kernelParameters(BOOT), /^console=ttyS0 .* nokaslr$/);
  assert.doesNotMatch(kernelParameters({ ...BOOT, parameters: [] }), /kaslr/);
});

test("cpio reads the archive", () => {
  const archive = cpioArchive([
    { name: "dev", mode: 0o040755 },
    { name: "dev/console", mode: 0o020600, device: [5, 1] },
    { name: "init", mode: 0o100755, content: new TextEncoder().encode("12345") },
  ]);
  const { stdout, stderr, status } = spawnSync("cpio", ["-itv", "--quiet"], {
    input: archive,
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
  const lines = stdout.trim().split("\n").map((line) => line.split(/\s+/));
  assert.deepEqual(lines.map((words) => [words[0], words[1], words.at(-1)]), [
    ["drwxr-xr-x", "2", "dev"],
    ["crw-------", "1", "dev/console"],
    ["-rwxr-xr-x", "1", "init"],
  ]);
  assert.ok(/5,\s+1/.test(stdout));
  assert.ok(/ 5 .* init/.test(stdout));
});

test("what a kernel lacks is named by option, before it boots where its configuration is there", () => {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-vm-"));
  try {
    checkConfiguration(folder, "x86_64");
    writeFileSync(join(folder, ".config"), vmConfiguration("x86_64"));
    checkConfiguration(folder, "x86_64");
    const lacking = vmConfiguration("x86_64").replace("CONFIG_9P_FS=y", "CONFIG_9P_FS=m")
      .replace("CONFIG_OVERLAY_FS=y\n", "").replace("CONFIG_KCOV=y\n", "");
    writeFileSync(join(folder, ".config"), lacking);
    assert.throws(() => checkConfiguration(folder, "x86_64"), {
      name: "KcovUnavailableError",
      message:
        `This kernel cannot run in a virtual machine: ${folder}/.config lacks CONFIG_OVERLAY_FS=y, CONFIG_9P_FS=y: add what kernelcov kernel config --vm prints, and build it again`,
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("the options of one architecture are not asked of the other", () => {
  assert.match(vmConfiguration("x86_64"), /CONFIG_SERIAL_8250=y/);
  assert.doesNotMatch(vmConfiguration("x86_64"), /AMBA/);
  assert.match(vmConfiguration("arm64"), /CONFIG_SERIAL_AMBA_PL011=y/);
  assert.doesNotMatch(vmConfiguration("arm64"), /8250|ACPI/);
  for (const arch of ["x86_64", "arm64"] as const) {
    assert.match(vmConfiguration(arch), /CONFIG_9P_FS=y[^]*CONFIG_KCOV=y/);
  }
});

test("why a machine did not start is told by what it wrote", () => {
  const told = (log: string, killedBy?: string) => explainVmFailure(log, killedBy);
  assert.equal(
    told("[    1.0] x\nkernelcov: this kernel lacks CONFIG_SYSFS=y\n"),
    "This kernel lacks CONFIG_SYSFS=y: kernelcov kernel config --vm prints what it needs",
  );
  assert.match(
    told("[ 1.0] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)\n"),
    /^This kernel lacks CONFIG_BLK_DEV_INITRD=y: /,
  );
  assert.equal(
    told("qemu-system-x86_64: cannot set up guest memory 'pc.ram': Cannot allocate memory\n"),
    "QEMU could not run the machine: qemu-system-x86_64: cannot set up guest memory 'pc.ram': Cannot allocate memory",
  );
  assert.match(
    told("a\nKernel panic - not syncing: no\nb\n"),
    /may name the cause\na\nKernel panic - not syncing: no$/,
  );
  assert.match(told("", "SIGKILL"), /^The machine was ended by SIGKILL while it started: /);
  assert.match(told(""), /^The machine ended without a message: .*CONFIG_SERIAL_8250_CONSOLE=y/);
});

test("a host without QEMU is told the package", async () => {
  const path = process.env["PATH"];
  process.env["PATH"] = "/no/such/folder";
  try {
    const machine = new VmMachine({
      machine: KERNEL_MACHINES.arm64,
      boot: "/no/Image",
      vmlinux: "/no/vmlinux",
      release: undefined,
      folder: "/no",
      programs: "/no",
    });
    await assert.rejects(machine.run({ command: ["true"], stdin: null }), {
      name: "KcovUnavailableError",
      message:
        /^A virtual machine needs qemu-system-aarch64: .*apt-get install .* qemu-system-arm$/,
    });
  } finally {
    process.env["PATH"] = path;
  }
});

test("programs of another architecture are exported, and process 1 is told", () => {
  const boot = { ...BOOT, programs: "/cache/roots/arm64" };
  const args = qemuArguments(boot, "/run/console");
  assert.ok(
    args.includes(
      "local,id=programs,path=/cache/roots/arm64,security_model=none,multidevs=remap,readonly=on",
    ),
  );
  assert.match(kernelParameters(boot), / KERNELCOV_PROGRAMS=1 nokaslr$/);
  assert.doesNotMatch(kernelParameters(BOOT), /PROGRAMS/);
});

test("a command for another architecture finds its programs first, and this runtime's there", () => {
  const { command, env } = withPrograms({
    command: [process.execPath, "test", process.execPath],
    env: { PATH: "/home/me/bin", A: "b" },
  });
  assert.deepEqual(command, [runtimeName(), "test", process.execPath]);
  assert.deepEqual(env, {
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/home/me/bin",
    A: "b",
  });
  assert.deepEqual(withPrograms({ command: ["./a"], env: {} }).command, ["./a"]);
});
