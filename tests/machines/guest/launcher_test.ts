import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
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
import { fileURLToPath } from "node:url";
import { buildEmbeddedKernel } from "../../../src/build/build_kernel.ts";
import { GuestProcess } from "../../../src/machines/uml/guest_process.ts";
import { guestProgram } from "../../../src/machines/guest/guest_programs.ts";
import { hostProtection } from "../../../src/machines/guest/host_protection.ts";
import { fileStates } from "../../_support/file_states.ts";
import { giveTo, ordinaryUser } from "../../_support/ordinary_user.ts";

const ESCAPE = fileURLToPath(new URL("../../data/escape.c", import.meta.url));
const isRoot = process.getuid?.() === 0;

/** What each call of `escape files` said, by the call's name. */
type Calls = Readonly<Record<string, string>>;

function callsOf(output: string): Calls {
  return Object.fromEntries(
    [...output.matchAll(/^(\w+): (\w+)$/gm)].map(([, call, said]) => [call, said]),
  );
}

/** A folder that is to stay as it is, one that may be written to, and the program that tries. */
interface Place {
  readonly folder: string;
  readonly victim: string;
  readonly writable: string;
  readonly escape: string;
}

async function inPlace(body: (place: Place) => void | Promise<void>): Promise<void> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "kernelcov-unsealed-")));
  try {
    chmodSync(folder, 0o755);
    const [victim, writable] = ["victim", "writable"].map((name) => join(folder, name));
    for (const path of [victim!, writable!]) {
      mkdirSync(path);
      writeFileSync(join(path, "doc.txt"), "precious\n", { mode: 0o640 });
    }
    const escape = join(folder, "escape");
    execFileSync("gcc", ["-O1", "-w", "-static", "-o", escape, ESCAPE]);
    await body({ folder, victim: victim!, writable: writable!, escape });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function launcherPath(): Promise<string> {
  return guestProgram((await buildEmbeddedKernel()).path, "launcher");
}

test("the launcher leaves a program of root's no way to change a file outside of its folder", async (t) => {
  const launcher = await launcherPath();
  if (!isRoot || hostProtection(launcher)?.mounts !== true) {
    return t.skip("needs root and Linux 5.12");
  }
  await inPlace(({ victim, writable, escape }) => {
    const before = fileStates(victim);
    const { stdout } = spawnSync(launcher, ["-w", writable, escape, "files", victim], {
      encoding: "utf8",
    });
    const calls = callsOf(stdout);
    assert.equal(Object.keys(calls).length, 15);
    assert.deepEqual([...new Set(Object.values(calls))], ["EROFS"]);
    assert.deepEqual(fileStates(victim), before);
  });
});

test("the launcher lets a program do in its folder what it could, devices aside", async () => {
  const launcher = await launcherPath();
  await inPlace(({ writable, escape }) => {
    const { stdout } = spawnSync(launcher, ["-w", writable, escape, "files", writable], {
      encoding: "utf8",
    });
    const { mknod, unlink, ...calls } = callsOf(stdout);
    assert.match(mknod!, /EACCES|EPERM/);
    // It has just been renamed.
    assert.equal(unlink, "ENOENT");
    assert.equal(Object.keys(calls).length, 13);
    assert.deepEqual([...new Set(Object.values(calls))], ["ok"]);
  });
});

test("the launcher leaves a program of an ordinary user's no way to change what files outside of its folder hold", async (t) => {
  const launcher = await launcherPath();
  if ((hostProtection(launcher)?.landlock ?? 0) < 3) return t.skip("needs Landlock, Linux 6.2");
  await inPlace(async ({ folder, victim, writable, escape }) => {
    const user = await ordinaryUser(folder);
    for (const path of [victim, join(victim, "doc.txt"), writable]) giveTo(user, path);
    const [program, ...args] = [
      ...user.prefix,
      user.programs[1]!,
      "-w",
      writable,
      escape,
      "files",
      victim,
    ];
    const { stdout } = spawnSync(program!, args, { encoding: "utf8" });
    const { fchmod: _1, chmod: _2, chown: _3, utimensat: _4, ...calls } = callsOf(stdout);
    assert.equal(Object.keys(calls).length, 11);
    for (const said of Object.values(calls)) assert.match(said, /^(EACCES|EPERM|EXDEV)$/);
    assert.equal(readFileSync(join(victim, "doc.txt"), "utf8"), "precious\n");
    assert.equal(existsSync(join(victim, "new")), false);
  });
});

test("the launcher keeps a program from other processes, their sockets and the network", async (t) => {
  const launcher = await launcherPath();
  if ((hostProtection(launcher)?.landlock ?? 0) < 6) return t.skip("needs Landlock, Linux 6.12");
  await inPlace(({ escape }) => {
    const socket = `kernelcov-${process.pid}-${Math.random()}`;
    const script =
      `kill -0 ${process.pid}; cat /proc/${process.pid}/environ; ${escape} connect ${socket}`;
    const { stdout, stderr } = spawnSync(escape, [
      "listen",
      socket,
      launcher,
      "/bin/sh",
      "-c",
      script,
    ], {
      encoding: "utf8",
      env: { LC_ALL: "C" },
    });
    assert.equal(stdout, "connect: EPERM\nconnections: 0\n");
    assert.match(stderr, /not permitted[^]*denied/);
  });
});

test("the launcher gives up root's capabilities, and nothing that it starts has them back", async (t) => {
  const launcher = await launcherPath();
  if (!isRoot) return t.skip("needs root");
  const { stdout } = spawnSync(launcher, [
    "/bin/sh",
    "-c",
    "grep -E '^(Cap|NoNewPrivs)' /proc/self/status",
  ], {
    encoding: "utf8",
  });
  assert.match(stdout, /^CapPrm:\t0*b\nCapEff:\t0*b\nCapBnd:\t0*b\n[^]*NoNewPrivs:\t1$/m);
});

test("the launcher refuses a folder that has become a symbolic link", async () => {
  const launcher = await launcherPath();
  await inPlace(({ folder, victim }) => {
    execFileSync("ln", ["-s", victim, join(folder, "link")]);
    const { status, stderr } = spawnSync(launcher, ["-w", join(folder, "link"), "/bin/true"], {
      encoding: "utf8",
    });
    assert.equal(status, 126);
    assert.match(stderr, /^kernelcov: The guest cannot be given .*link: /);
  });
});

/** Boots the kernel with a process 1 that does not seal it: what it wrote to the serial line. */
async function bootUnsealed(place: Place, script: string): Promise<string> {
  const { linux } = await buildEmbeddedKernel();
  const init = join(place.folder, "init.sh");
  const text = `#!/bin/sh
mount -t devtmpfs dev /dev
mount -t tmpfs none /mnt
mkdir /mnt/m
exec >/dev/ttyS0 2>&1
stty raw -echo
export LC_ALL=C V=${place.victim} W=${place.writable} E=${place.escape}
${script}
echo end
sleep 0.2
`;
  writeFileSync(init, text, { mode: 0o755 });
  const guest = new GuestProcess({
    linux,
    init,
    launcher: await launcherPath(),
    memoryBytes: 256 * 2 ** 20,
    parameters: [],
    memoryFolder: tmpdir(),
    write: [place.writable],
  });
  let output = "";
  guest.output.on("data", (bytes: Uint8Array) => output += new TextDecoder().decode(bytes));
  // It ends by a panic: process 1 does.
  await guest.ended;
  assert.match(output, /^end$/m, guest.log);
  return output;
}

test("a kernel without the seal mounts what it likes, and changes nothing but the writable folder", async (t) => {
  if (!isRoot || hostProtection(await launcherPath())?.mounts !== true) {
    return t.skip("needs root and Linux 5.12");
  }
  await inPlace(async (place) => {
    const before = fileStates(place.victim);
    const swappiness = readFileSync("/proc/sys/vm/swappiness", "utf8");
    const output = await bootUnsealed(
      place,
      `mount -t hostfs none /mnt/m -o $V && $E files /mnt/m
       mount -t hostfs none /mnt/m -o $W && echo done >/mnt/m/file
       mount -t hostfs none /mnt/m -o /proc/sys/vm && echo 1 >/mnt/m/swappiness
       mount -t hostfs none /mnt/m -o /proc/1/root; ls /mnt/m`,
    );
    const calls = callsOf(output.replaceAll("\r", ""));
    assert.equal(Object.keys(calls).length, 15);
    assert.deepEqual([...new Set(Object.values(calls))], ["EROFS"], output);
    assert.deepEqual(fileStates(place.victim), before);
    assert.equal(readFileSync("/proc/sys/vm/swappiness", "utf8"), swappiness);
    assert.equal(readFileSync(join(place.writable, "file"), "utf8"), "done\n");
  });
});
