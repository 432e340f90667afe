import assert from "node:assert/strict";
import { test } from "node:test";
import {
  chooseMemoryFolder,
  memoryFolders,
  mountOf,
  parseMemorySize,
} from "../../../src/machines/guest/memory_folder.ts";

const GIB = 2 ** 30;
const MOUNTINFO = [
  "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw",
  "30 22 0:25 / /dev/shm rw,nosuid,nodev,noexec shared:3 - tmpfs tmpfs rw",
  "31 22 0:26 / /mnt/with\\040space rw - xfs /dev/vdb rw",
  "32 22 0:27 / /tmp rw - ext4 /dev/vdc rw",
  "33 22 0:28 / /tmp rw master:4 propagate_from:2 - tmpfs tmpfs rw",
].join("\n");

test("mountOf takes the innermost mount, and of two on one point the later", () => {
  assert.deepEqual(mountOf("/home", MOUNTINFO), { type: "ext4", noexec: false });
  assert.deepEqual(mountOf("/dev/shm/x", MOUNTINFO), { type: "tmpfs", noexec: true });
  assert.deepEqual(mountOf("/dev/shmx", MOUNTINFO), { type: "ext4", noexec: false });
  assert.deepEqual(mountOf("/mnt/with space/a", MOUNTINFO), { type: "xfs", noexec: false });
  assert.deepEqual(mountOf("/tmp", MOUNTINFO), { type: "tmpfs", noexec: false });
});

test("the guest's memory goes to a tmpfs with room that allows execution", () => {
  const shm = { path: "/dev/shm", type: "tmpfs", noexec: false, freeBytes: 8 * GIB };
  const disk = { path: "/tmp", type: "ext4", noexec: false, freeBytes: 90 * GIB };
  assert.equal(chooseMemoryFolder([disk, shm], 2 * GIB), "/dev/shm");
  assert.equal(chooseMemoryFolder([{ ...shm, noexec: true }, disk], 2 * GIB), "/tmp");
  // A container's /dev/shm.
  assert.equal(chooseMemoryFolder([{ ...shm, freeBytes: 64 * 2 ** 20 }, disk], 2 * GIB), "/tmp");
});

test("a host without room for the guest is told what was tried and what to change", () => {
  const folders = [
    { path: "/dev/shm", type: "tmpfs", noexec: true, freeBytes: 8 * GIB },
    { path: "/tmp", type: "ext4", noexec: false, freeBytes: 2 ** 20 },
  ];
  assert.throws(() => chooseMemoryFolder(folders, GIB), {
    name: "RangeError",
    message: /\/dev\/shm is mounted noexec, \/tmp has 1 MiB free.*--memory.*TMPDIR/,
  });
});

test("memoryFolders finds a folder on this machine", () => {
  const folders = memoryFolders();
  assert.ok(folders.some((folder) => folder.path === "/tmp" && folder.freeBytes > 0));
  assert.equal(new Set(folders.map((folder) => folder.path)).size, folders.length);
});

test("parseMemorySize takes K, M and G and refuses what no guest starts in", () => {
  assert.equal(parseMemorySize("2G"), 2 * GIB);
  assert.equal(parseMemorySize("512m"), 2 ** 29);
  assert.equal(parseMemorySize("512MiB"), 2 ** 29);
  assert.equal(parseMemorySize("1048576K"), GIB);
  assert.equal(parseMemorySize(String(GIB)), GIB);
  for (const text of ["", "2T", "-1G", "1.5G", "64M", "999G", "G", "2GG"]) {
    assert.throws(() => parseMemorySize(text), { name: "RangeError" }, text);
  }
});
