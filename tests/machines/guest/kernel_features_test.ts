import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { inGuest } from "../../_support/guest_run.ts";

const SOURCE = fileURLToPath(new URL("../../data/kernel_features.c", import.meta.url));

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

/** A file system in a file with these features, mounted on `m` with these options. */
function onExt4(features: string, mountOptions: string, script: string): string {
  return `set -e; export PATH=$PATH:/usr/sbin:/sbin
    cd /dev/shm; truncate -s 32M image; mkdir m
    mkfs.ext4 -q ${features} image; mount -o loop${mountOptions} image m
    ${script}`;
}

test("quotas of users and of projects hold on ext4 over a loop device", async () => {
  for (
    const [type, features, flag, id, script] of [
      ["usrquota", "-O quota", "-u", "7", "chown 7 m; as='setpriv --reuid 7 --clear-groups'; cd m"],
      [
        "prjquota",
        "-O quota,project -E quotatype=prjquota",
        "-P",
        "7",
        "mkdir m/p; chattr +P -p 7 m/p; cd m/p",
      ],
    ]
  ) {
    // Root may exceed a user's quota, and not a project's unless it has CAP_SYS_RESOURCE.
    const run = await inGuest(onExt4(
      features!,
      `,${type}`,
      `setquota ${flag} ${id} 0 100 0 0 m
       as='setpriv --bounding-set -sys_resource --inh-caps -sys_resource'; ${script}
       $as dd if=/dev/zero of=small bs=1k count=20 2>/dev/null
       $as dd if=/dev/zero of=large bs=1k count=200 2>&1 | grep -c 'Disk quota exceeded'`,
    ));
    assert.deepEqual([run.exitStatus, run.stdout], [0, "1\n"], `${type}: ${run.stderr}`);
  }
});

test("tmpfs has quotas, too", async () => {
  const run = await inGuest(
    "mkdir /dev/shm/m && mount -t tmpfs -o usrquota,usrquota_block_hardlimit=64k none /dev/shm/m && " +
      "chmod 777 /dev/shm/m && setpriv --reuid 7 --clear-groups dd if=/dev/zero of=/dev/shm/m/f bs=1k count=200",
  );
  assert.match(run.stderr, /Disk quota exceeded/);
});

test("a folder of ext4 can have names without regard to case", async () => {
  const run = await inGuest(onExt4(
    "-O casefold",
    "",
    "mkdir m/d; chattr +F m/d; echo kept >m/d/Gr\u00fc\u00df; cat m/d/gR\u00dcSS",
  ));
  assert.deepEqual([run.exitStatus, run.stdout], [0, "kept\n"], run.stderr);
});

test("a program of 32 bits is refused: user-mode Linux on x86-64 has no way to run one", async () => {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-32-"));
  try {
    const program = join(folder, "program");
    writeFileSync(
      join(folder, "program.s"),
      ".globl _start\n_start: mov $1,%eax\n mov $0,%ebx\n int $0x80\n",
    );
    execFileSync("gcc", ["-m32", "-nostdlib", "-static", "-o", program, "program.s"], {
      cwd: folder,
    });
    const child = await inGuest(["bash", "-c", program]);
    assert.equal(child.exitStatus, 126);
    assert.match(child.stderr, /Exec format error/);
    await assert.rejects(inGuest(["program"], { env: { PATH: folder } }), /it is a 32-bit program/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
