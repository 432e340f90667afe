import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { buildIdOfNotes } from "../../../src/elf/build_id.ts";
import { buildEmbeddedKernel } from "../../../src/build/build_kernel.ts";
import { guestFolders, inGuest } from "../../_support/guest_run.ts";

async function inFolder<T>(body: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-run-"));
  try {
    return await body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("the guest returns the command's exit status, or 128 and the signal that ended it", async () => {
  assert.deepEqual((await inGuest("exit 0")).exitStatus, 0);
  assert.deepEqual((await inGuest("exit 41")).exitStatus, 41);
  assert.deepEqual((await inGuest("kill -TERM $$")).exitStatus, 143);
});

test("a program that is not there gives 127, one that may not be run 126", async () => {
  const missing = await inGuest(["no-such-program"]);
  assert.equal(missing.exitStatus, 127);
  assert.match(missing.stderr, /Cannot run no-such-program: No such file/);
  assert.equal((await inGuest(["/etc/passwd"])).exitStatus, 126);
});

test("standard output and standard error stay apart, and hold nothing else", async () => {
  const run = await inGuest("echo out; echo err >&2; echo out again");
  assert.deepEqual([run.stdout, run.stderr], ["out\nout again\n", "err\n"]);
});

test("bytes pass unchanged in both directions, a megabyte of them", async () => {
  const bytes = new Uint8Array(1 << 20);
  let state = 1;
  for (let i = 0; i < bytes.length; i++) {
    state = Math.imul(state, 1664525) + 1013904223 | 0;
    bytes[i] = state >>> 24;
  }
  const run = await inGuest("cat", { stdin: bytes });
  assert.equal(run.exitStatus, 0);
  assert.deepEqual(run.stdoutBytes, bytes);
});

test("a command that does not read its input ends all the same", async () => {
  const run = await inGuest("echo done", { stdin: new Uint8Array(300_000) });
  assert.deepEqual([run.exitStatus, run.stdout], [0, "done\n"]);
});

test("the command runs in the caller's folder with exactly the given environment", async () => {
  await inFolder(async (folder) => {
    const big = "x".repeat(100_000);
    const run = await inGuest("pwd; echo $A; echo ${#BIG}; echo ${HOME-none}", {
      cwd: folder,
      env: { PATH: process.env["PATH"], A: "ü = 1", BIG: big, GONE: undefined },
    });
    assert.equal(run.stdout, `${folder}\nü = 1\n100000\nnone\n`);
  });
});

test("the guest is a machine: uid 0, coverage device, loopback, terminals, shared memory, processes", async () => {
  const run = await inGuest(
    `id -u; cat /proc/self/uid_map
    test -c /dev/ptmx && test -d /dev/pts && echo terminals; test -e /dev/fd/0 && echo descriptors
    test -f /sys/kernel/debug/kcov && echo kcov; touch /dev/shm/a && echo shared
    cut -c1-5 /proc/1/comm; cat /sys/class/net/lo/flags; uname -r`,
  );
  assert.match(
    run.stdout,
    /^0\n +0 +0 +4294967295\nterminals\ndescriptors\nkcov\nshared\ninit-\n0x9\n6\.12\.\d+-kernelcov\n$/,
  );
});

test("the running kernel's build id is that of the image that KERNELCOV_VMLINUX names", async () => {
  const run = await inGuest("echo $KERNELCOV_VMLINUX; od -An -v -tx1 /sys/kernel/notes");
  const [image, ...lines] = run.stdout.split("\n");
  const { vmlinux } = await buildEmbeddedKernel();
  assert.equal(image, vmlinux);
  const notes = Uint8Array.from(
    lines.join("").trim().split(/\s+/).map((byte) => parseInt(byte, 16)),
  );
  const running = buildIdOfNotes(notes) ?? "";
  assert.match(running, /^[0-9a-f]{40}$/);
  assert.ok(readFileSync(vmlinux).includes(Buffer.from(running, "hex")));
});

test("what the guest deletes, writes and mounts does not reach the host", async () => {
  await inFolder(async (folder) => {
    const file = join(folder, "precious");
    writeFileSync(file, "here");
    const run = await inGuest(
      `rm -rf "$PWD"/* && ls -A . | wc -l; echo new > made; echo changed > /etc/hostname; cat /etc/hostname made`,
      { cwd: folder },
    );
    assert.equal(run.stdout, "0\nchanged\nnew\n");
    assert.equal(readFileSync(file, "utf8"), "here");
    assert.equal(existsSync(join(folder, "made")), false);
    assert.notEqual(readFileSync("/etc/hostname", "utf8"), "changed\n");
  });
});

test("a writable folder reaches the host, and its neighbours do not", async () => {
  await inFolder(async (folder) => {
    const out = join(folder, "out, with space");
    mkdirSync(out);
    const written = await inGuest(
      ["sh", "-c", 'echo kept > "$1/file"; mkdir "$1/sub"; echo lost > "$1/../lost"', "sh", out],
      { cwd: folder, write: [out] },
    );
    assert.equal(written.exitStatus, 0, written.stderr);
    assert.equal(readFileSync(join(out, "file"), "utf8"), "kept\n");
    assert.ok(existsSync(join(out, "sub")));
    assert.equal(existsSync(join(folder, "lost")), false);
  });
});

test("files that are still open when the command is killed at its time limit reach the host", async () => {
  await inFolder(async (folder) => {
    const run = await inGuest("exec 3> file; echo record >&3; sleep 1000", {
      cwd: folder,
      write: [folder],
      timeoutMs: 1000,
    });
    assert.deepEqual([run.exitStatus, run.end], [124, "timed-out"]);
    assert.equal(readFileSync(join(folder, "file"), "utf8"), "record\n");
  });
});

test("a command that ignores signals and one that forks orphans end with the guest", async () => {
  const stubborn = await inGuest("trap '' TERM INT HUP; while :; do sleep 1; done", {
    timeoutMs: 500,
  });
  assert.deepEqual([stubborn.exitStatus, stubborn.end], [124, "timed-out"]);
  // The orphan holds standard output open; nobody waits for it.
  const orphans = await inGuest("for i in 1 2 3; do (sleep 1000; echo late) & done; echo first");
  assert.deepEqual([orphans.exitStatus, orphans.stdout], [0, "first\n"]);
});

test("all output comes before the end, however fast the command ends", async () => {
  const run = await inGuest("seq 1 60000; exit 3");
  assert.equal(run.exitStatus, 3);
  assert.equal(run.stdout.split("\n").length, 60_001);
});

test("a command that powers off or reboots the machine is told apart from one that ends", async () => {
  await inFolder(async (folder) => {
    const program = join(folder, "reboot");
    const source = "#include <stdlib.h>\n#include <sys/reboot.h>\n" +
      "int main(int n, char **v) { return reboot(strtoul(v[n - 1], 0, 0)); }\n";
    execFileSync("gcc", ["-x", "c", "-o", program, "-"], { input: source });
    // RB_POWER_OFF, RB_AUTOBOOT, RB_HALT_SYSTEM (reboot(2)).
    for (const number of ["0x4321fedc", "0x01234567", "0xcdef0123"]) {
      const run = await inGuest([program, number]);
      assert.deepEqual([run.end, run.exitStatus], ["powered-off", 3], number);
    }
  });
  const ended = await inGuest("kill -9 -1; exit 5");
  assert.equal(ended.end, "exited");
});

test("folders that cannot be used are refused before the guest starts", async () => {
  await assert.rejects(inGuest("true", { write: ["/no/such/folder"] }), {
    name: "TypeError",
    message: /cannot write to \/no\/such\/folder/,
  });
  await assert.rejects(inGuest("true", { write: ["/etc/hostname"] }), { name: "TypeError" });
  await assert.rejects(inGuest("true", { write: ["/"] }), { name: "TypeError" });
  await assert.rejects(inGuest([]), { name: "TypeError" });
  await assert.rejects(inGuest("true", { memory: "1K" }), { name: "RangeError" });
});

test("the guest has the memory that was asked for", async () => {
  const run = await inGuest("grep MemTotal /proc/meminfo | tr -dc 0-9", { memory: "512M" });
  const kibibytes = Number(run.stdout);
  assert.ok(kibibytes > 400 * 1024 && kibibytes <= 512 * 1024, run.stdout);
});

test("a guest leaves no folder behind", async () => {
  const run = inGuest("sleep 100", { timeoutMs: 2000 });
  while (guestFolders(process.pid).length === 0) await setTimeout(10);
  assert.equal((await run).end, "timed-out");
  assert.deepEqual(guestFolders(process.pid), []);
});
