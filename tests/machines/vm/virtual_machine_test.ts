import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { CommandEnd, GuestOptions } from "../../../src/machines/machine.ts";
import { vmKernel } from "../../../src/machines/vm/vm_kernel.ts";
import { VmMachine } from "../../../src/machines/vm/vm_machine.ts";
import { formatInvocation, processInvocation } from "../../../src/record/invocation.ts";
import { runtimeName } from "../../../src/sys/runtime.ts";
import { readRun } from "../../../src/record/read_run.ts";
import { fixtureCommand } from "../../_support/run_supervised_fixture.ts";
import { Collector, KERNELCOV } from "../../_support/guest_run.ts";

// Needs a kernel, which takes minutes to build: scripts/checks/vm.ts names one.
const KERNEL = process.env["KERNELCOV_VM_KERNEL"];
/** This runtime's test runner. */
const RUNNER = runtimeName() === "bun"
  ? ["bun", "test", "--timeout", "300000"]
  : ["deno", "test", "-A", "--no-check"];
/** An emulated machine on a busy host takes its time. */
const SLOW = {
  timeout: 600_000,
  skip: KERNEL === undefined && "KERNELCOV_VM_KERNEL names no kernel",
};

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

/** Runs `body` with a folder that is removed afterwards. */
async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "kernelcov-vm-")));
  try {
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test(
  "it has its processors, its own memory and devices, KASLR, and leaves nothing behind",
  SLOW,
  async () => {
    const script = `
    nproc; grep -c "^processor" /proc/cpuinfo
    read -r name size unit </proc/meminfo; echo $((size / 1024 > 600 && size / 1024 < 768))
    ls /dev/sda /dev/kvm /dev/vda 2>/dev/null; cat /proc/cmdline; grep -w _stext /proc/kallsyms`;
    const places: string[] = [];
    for (let round = 0; round < 2; round++) {
      const { stdout, exitStatus, stderr } = await inVm(script, { cpus: 2, memory: "768M" });
      assert.equal(exitStatus, 0, stderr);
      const [processors, listed, memory, line, ...symbols] = stdout.trim().split("\n");
      assert.deepEqual([processors, listed, memory], ["2", "2", "1"]);
      assert.doesNotMatch(line!, /kaslr/);
      places.push(symbols[0]!);
    }
    assert.notEqual(places[0], places[1]);
    const own = formatInvocation(processInvocation());
    assert.deepEqual(readdirSync(tmpdir()).filter((name) => name.includes(`-${own}-`)), []);
  },
);

test("it writes to the named folders and to no others, whatever its root does", SLOW, async () => {
  await inFolder(async (folder) => {
    for (const name of ["out", "own"]) mkdirSync(join(folder, name));
    writeFileSync(join(folder, "own/file"), "as it was");
    const { stdout } = await inVm(
      `
      echo new >${folder}/out/file; echo new >${folder}/own/file; cat ${folder}/own/file; mkdir /tmp/m
      for tag in host write0; do
        mount -t 9p -o trans=virtio,version=9p2000.L $tag /tmp/m && {
          echo evil >/tmp/m${folder}/own/file; rm /tmp/m${folder}/own/file; chmod 777 /tmp/m${folder}/own
          umount /tmp/m
        }
      done
      mount -o remount,rw /; ln -s ${folder}/own ${folder}/out/link; echo evil >${folder}/out/link/file
      mknod ${folder}/out/node c 1 3; echo end`,
      { write: [join(folder, "out")] },
    );
    assert.match(stdout, /^new\n/);
    assert.match(stdout, /end\n$/);
    assert.equal(readFileSync(join(folder, "out/file"), "utf8"), "new\n");
    assert.equal(readFileSync(join(folder, "own/file"), "utf8"), "as it was");
    assert.deepEqual(readdirSync(join(folder, "own")), ["file"]);
    assert.equal(existsSync(join(folder, "out/node")), false);
  });
});

test("what a kernel lacks is named by the guest, where no configuration tells", SLOW, async () => {
  // The same kernel, without what such an option adds to it.
  for (
    const [part, option] of [
      ["init_v9fs", "CONFIG_9P_FS=y"],
      ["p9_virtio_init", "CONFIG_NET_9P_VIRTIO=y"],
      ["ovl_init", "CONFIG_OVERLAY_FS=y"],
      ["virtio_console_init", "CONFIG_VIRTIO_CONSOLE=y, or CONFIG_VIRTIO_PCI=y"],
    ]
  ) {
    await assert.rejects(inVm("echo on", { parameters: [`initcall_blacklist=${part}`] }), {
      name: "KcovUnavailableError",
      message: `This kernel lacks ${option}: kernelcov kernel config --vm prints what it needs`,
    });
  }
});

test("a crash of the kernel is told with its functions and lines", SLOW, async () => {
  const { end, exitStatus, stdout, stderr } = await inVm(
    "echo a word before >/dev/kmsg; echo 1 >/proc/sys/kernel/sysrq; echo c >/proc/sysrq-trigger; echo on",
  );
  assert.deepEqual([end, exitStatus, stdout], ["crashed", 3, ""]);
  assert.match(
    stderr,
    /^kernelcov: The guest's kernel panicked: sysrq triggered crash\n {2}process \d+ \(sh\)\n/,
  );
  assert.match(stderr, /^ {2}sysrq_handle_crash +\S*drivers\/tty\/sysrq\.c:\d+\n/m);
  assert.match(
    stderr,
    /^ {2}vfs_write +\S*fs\/read_write\.c:\d+\n {2}ksys_write +\S*fs\/read_write\.c:\d+\n/m,
  );
  assert.match(stderr, /^Its last messages before that:\n(.*\n)?.* a word before\n/m);
});

test("a time limit, a restart and a machine that is powered off end it", SLOW, async () => {
  const limited = await inVm("trap 'echo told' TERM; sleep 10000 & wait", { timeoutMs: 30_000 });
  assert.deepEqual([limited.end, limited.exitStatus, limited.stdout], ["timed-out", 124, "told\n"]);
  const restarted = await inVm("echo b >/proc/sysrq-trigger; sleep 100");
  assert.deepEqual([restarted.exitStatus, restarted.stdout], [3, ""]);
});

test("a terminal of its own has the size of this one", SLOW, async () => {
  await inFolder((folder) => {
    const command = `${KERNELCOV} kernel run --kernel ${KERNEL} -- sh -c 'stty size; tty; exit 7'`;
    const { stdout } = spawnSync(
      "script",
      ["-qec", `stty rows 33 cols 99; ${command}`, join(folder, "typescript")],
      { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] },
    );
    assert.match(stdout, /33 99\r+\n\/dev\/pts\/\d+\r+\n/);
    return Promise.resolve();
  });
});

test("the records of tests that had ended outlive a crash of the kernel", SLOW, async () => {
  await inFolder((folder) => {
    const file = join(folder, "crash.test.ts");
    writeFileSync(
      file,
      `import { test } from "node:test";
       import { readFileSync, writeFileSync } from "node:fs";
       test("reads", () => { readFileSync("/proc/version"); });
       test("crashes", () => { writeFileSync("/proc/sysrq-trigger", "c"); });`,
    );
    const { stdout, stderr, status } = spawnSync(
      KERNELCOV,
      ["test", "--kernel", KERNEL!, "--", ...RUNNER, "./crash.test.ts"],
      { cwd: folder, encoding: "utf8" },
    );
    assert.equal(status, 3, stdout + stderr);
    assert.match(
      stderr,
      /panicked while ".*crash\.test\.ts: crashes" ran: its record is unfinished; 1 test had ended/,
    );
    assert.match(stdout, /^ {2}reads +passed +[1-9]/m);
    return Promise.resolve();
  });
});

test(
  "a module that is loaded while tests run has its lines in the reports, by name",
  SLOW,
  async () => {
    await inFolder((folder) => {
      writeFileSync(
        join(folder, "ext4.test.ts"),
        `import { test } from "node:test";
       import assert from "node:assert/strict";
       import { execFileSync } from "node:child_process";
       import { readFileSync, writeFileSync } from "node:fs";
       test("loads and uses it", { timeout: 300_000 }, () => {
         assert.doesNotMatch(readFileSync("/proc/modules", "utf8"), /^ext4 /m);
         execFileSync("modprobe", ["ext4"]);
         execFileSync("sh", ["-c", "truncate -s 16M /tmp/disk && mkfs.ext4 -q /tmp/disk && mkdir /tmp/mnt && mount -o loop /tmp/disk /tmp/mnt"]);
         writeFileSync("/tmp/mnt/file", "hello");
         execFileSync("umount", ["/tmp/mnt"]);
       });`,
      );
      const { stdout, stderr, status } = spawnSync(
        KERNELCOV,
        ["test", "--kernel", KERNEL!, "--cpus", "2", "--", ...RUNNER, "./ext4.test.ts"],
        { cwd: folder, encoding: "utf8" },
      );
      assert.equal(status, 0, stdout + stderr);
      assert.match(stdout, /hit: .*\bext4 [1-9][\d,]* of [\d,]+ points/);
      const lcov = readFileSync(join(folder, "coverage/kernel/lcov.info"), "utf8");
      const file = lcov.split("end_of_record").find((part) =>
        /^SF:.*fs\/ext4\/super\.c$/m.test(part)
      );
      assert.ok(file !== undefined);
      const lines = [...file.matchAll(/^DA:\d+,[1-9]/gm)].length;
      assert.ok(lines > 200, `${lines} lines`);
      assert.match(file, /^FNDA:[1-9]\d*,ext4_fill_super$/m);
      return Promise.resolve();
    });
  },
);

test("an ordinary user records in the machine, through the broker", SLOW, async () => {
  await inFolder(async (folder) => {
    const own = `${process.execPath} ${
      runtimeName() === "deno" ? "run -A --no-check --no-lock" : "run"
    }`;
    const main = fileURLToPath(new URL("../../../src/cli/main.ts", import.meta.url));
    const command = fixtureCommand(["../../hook/fixtures/three_outcomes.ts"]).join(" ");
    const { stdout, stderr } = await inVm(
      `
      ${own} ${main} broker --user nobody 2>/run/log &
      until grep -q Opens /run/log; do sleep 0.2; done
      mkdir -m 777 /run/user; cd /run/user
      user() {
        setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs env HOME=/run/user DENO_DIR=/run/user/deno "$@"
      }
      user cat /sys/kernel/debug/kcov && echo it may open the device itself
      user KERNELCOV=require KERNELCOV_RUN=/run/user/run KERNELCOV_RUN_ID=one ${command} >/run/user/out 2>&1
      stat -c "owner %u" /run/user/run; cp /run/user/run/* ${folder}; cat /run/user/out >&2`,
      { write: [folder] },
    );
    assert.equal(stdout, "owner 65534\n", stderr);
    const { records } = readRun(folder);
    assert.deepEqual(records.map(({ name }) => name).sort(), ["fails", "passes", "waits"], stderr);
    for (const { name, pcs } of records) {
      if (name !== "waits") assert.ok(pcs.length > 100, `${name}: ${pcs.length} points`);
    }
  });
});
