import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { errnoName } from "../../src/sys/errno.ts";
import { loadLibcPart } from "../../src/sys/load.ts";
import { cString } from "../../src/sys/native_strings.ts";
import { SharedMapping } from "../../src/sys/shared_mapping.ts";
import { O_CLOEXEC, O_RDWR } from "../../src/sys/system_calls.ts";

const libc = loadLibcPart([
  "open",
  "close",
  "fstat",
  "poll",
  "mmap",
  "munmap",
  "madvise",
  "getpid",
  "write",
]);

test("functions by their numbers do what libc's do", () => {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-numbered-"));
  try {
    const path = join(folder, "ü");
    writeFileSync(path, "x".repeat(4096));
    const fd = libc.open(cString(path), O_RDWR | O_CLOEXEC, 0);
    assert.ok(fd > 2);
    const stat = new BigUint64Array(18);
    assert.equal(libc.fstat!(fd, new Uint8Array(stat.buffer)), 0);
    const { dev, ino } = statSync(path, { bigint: true });
    assert.deepEqual([stat[0], stat[1]], [dev, ino]);
    const mapping = new SharedMapping(libc, fd, 4096, "a file");
    assert.equal(libc.madvise(mapping.address, 4096n, 10), 0);
    new Uint8Array(mapping.buffer).set([0x61, 0x62]);
    mapping[Symbol.dispose]();
    assert.equal(libc.close(fd), 0);
    assert.equal(readFileSync(path, "utf8").slice(0, 3), "abx");
    assert.equal(libc.getpid(), process.pid);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("they fail as libc's do", () => {
  assert.equal(libc.close(-1), -1);
  assert.equal(errnoName(libc.errno()), "EBADF");
  assert.equal(libc.open(cString("/no/such/file"), 0, 0), -1);
  assert.equal(errnoName(libc.errno()), "ENOENT");
  assert.throws(() => new SharedMapping(libc, -1, 4096, "nothing"), {
    name: "SyscallError",
    code: "EBADF",
  });
  assert.equal(libc.munmap(1n, 1n), -1);
  assert.equal(errnoName(libc.errno()), "EINVAL");
});

test("a poll of nothing waits, and one of a descriptor that is ready does not", () => {
  const before = performance.now();
  assert.equal(libc.poll(null, 0n, 30), 0);
  assert.ok(performance.now() - before > 25);
  const fd = libc.open(cString("/dev/zero"), 0, 0);
  const POLLIN = 1;
  const polled = new DataView(new ArrayBuffer(8));
  polled.setInt32(0, fd, true);
  polled.setInt16(4, POLLIN, true);
  assert.equal(libc.poll(new Uint8Array(polled.buffer), 1n, -1), 1);
  assert.equal(polled.getInt16(6, true), POLLIN);
  libc.close(fd);
});
