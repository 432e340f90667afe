import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { SyscallError } from "../../src/errors.ts";
import { openWithBun } from "../../src/sys/bun.ts";
import { openWithDeno } from "../../src/sys/deno.ts";
import { check, errnoName } from "../../src/sys/errno.ts";
import { loadLibc } from "../../src/sys/load.ts";
import { cString, cStringArray } from "../../src/sys/native_strings.ts";
import { runtimeName } from "../../src/sys/runtime.ts";
import { SharedMapping } from "../../src/sys/shared_mapping.ts";
import { MAP_FAILED } from "../../src/sys/types.ts";

const O_RDWR = 2;
const O_CLOEXEC = 0o2000000;
const EBADF = 9;

test("loadLibc() gives the same object each time", () => {
  assert.equal(loadLibc(), loadLibc());
});

test("i32 results are numbers and agree with the runtime", () => {
  assert.equal(loadLibc().getpid(), process.pid);
  assert.equal(loadLibc().getppid(), process.ppid);
});

test("threadId() names the calling thread", () => {
  const [pid, , tid] = readlinkSync("/proc/thread-self").split("/");
  assert.equal(process.pid, Number(pid));
  assert.equal(loadLibc().threadId(), Number(tid));
});

test("a failed call returns -1 and leaves errno", () => {
  const libc = loadLibc();
  assert.equal(libc.close(-1), -1);
  assert.equal(libc.errno(), EBADF);
  assert.equal(libc.read(-1, null, 0n), -1);
  assert.equal(libc.errno(), EBADF);
  assert.equal(libc.ptrace(0x4206, -1, 0n, 0n), -1n); // PTRACE_SEIZE of no process
  assert.equal(libc.errno(), 3);
});

test("errno is that of the call, whatever the runtime does until it is read", () => {
  const libc = loadLibc();
  // Opened once more, it stands for the runtime, which calls the same library.
  const open = runtimeName() === "deno" ? openWithDeno : openWithBun;
  const runtimes = open("libc.so.6", ["open"]).functions;
  assert.equal(libc.close(-1), -1);
  assert.equal(runtimes.open(cString("/no/such/file"), 0, 0), -1);
  assert.equal(libc.errno(), EBADF);
  const failed = () => {
    const result = libc.close(-1);
    runtimes.open(cString("/no/such/file"), 0, 0);
    return result;
  };
  assert.throws(() => check(libc, "close", failed(), "close", "open it first"), /EBADF/);
});

test("errno stays right under allocation", () => {
  const libc = loadLibc();
  const path = cString("/no/such/file");
  let garbage: unknown[] = [];
  for (let round = 0; round < 20_000; round++) {
    const even = round % 2 === 0;
    const result = even ? libc.close(-1) : libc.open(path, 0, 0);
    assert.equal(result, -1);
    assert.equal(libc.errno(), even ? EBADF : 2);
    garbage.push({ round, text: `${round}` });
    if (garbage.length > 1000) garbage = [];
  }
});

test("a failed mmap is MAP_FAILED", () => {
  const libc = loadLibc();
  assert.equal(libc.mmap(0n, 0n, 3, 1, -1, 0n), MAP_FAILED);
});

test("check() throws a SyscallError that names call, errno and remedy", () => {
  const libc = loadLibc();
  assert.throws(
    () => check(libc, "close", libc.close(-1), "close the file", "open it first"),
    (error) => {
      assert.ok(error instanceof SyscallError);
      assert.equal(error.message, "Cannot close the file: close: EBADF: open it first");
      assert.deepEqual([error.syscall, error.errno, error.code], ["close", EBADF, "EBADF"]);
      return true;
    },
  );
  const failed = () => libc.mmap(0n, 0n, 3, 0x21, -1, 0n); // MAP_SHARED | MAP_ANONYMOUS
  const remedy = { EINVAL: "map at least one byte", otherwise: "look elsewhere" };
  assert.throws(
    () => check(libc, "mmap", failed(), "map", remedy),
    /EINVAL: map at least one byte$/,
  );
  assert.equal(check(libc, "getpid", libc.getpid(), "ask", "nothing"), process.pid);
});

test("errnoName() agrees with the runtime's own table", () => {
  const names = Object.entries(constants.errno);
  assert.ok(names.length > 50);
  for (const [name, value] of names) {
    // Two names share these numbers; the kernel's headers define the second in terms of the first.
    if (name === "EWOULDBLOCK" || name === "ENOTSUP" || name === "EDEADLOCK") continue;
    assert.equal(errnoName(value as number), name);
  }
  assert.equal(errnoName(133), "EHWPOISON");
  assert.equal(errnoName(524), "ENOTSUPP");
  assert.equal(errnoName(41), "E41");
  assert.equal(errnoName(4000), "E4000");
});

test("pread and pwrite move bytes at an offset", () => {
  const libc = loadLibc();
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-libc-"));
  try {
    const path = join(folder, "file");
    writeFileSync(path, "0123456789");
    const fd = check(libc, "open", libc.open(cString(path), O_RDWR | O_CLOEXEC, 0), "open", "-");
    assert.equal(libc.pwrite(fd, new TextEncoder().encode("ab"), 2n, 4n), 2);
    const bytes = new Uint8Array(4);
    assert.equal(libc.pread(fd, bytes, 4n, 3n), 4);
    assert.equal(new TextDecoder().decode(bytes), "3ab6");
    assert.equal(libc.close(fd), 0);
    assert.equal(readFileSync(path, "utf8"), "0123ab6789");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("SharedMapping shares a file's memory and is detached before it is unmapped", () => {
  const libc = loadLibc();
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-libc-"));
  const path = join(folder, "file");
  writeFileSync(path, new Uint8Array(8192));
  const fd = check(libc, "open", libc.open(cString(path), O_RDWR | O_CLOEXEC, 0), "open", "-");
  try {
    const mapping = new SharedMapping(libc, fd, 8192, "a file");
    const bytes = new Uint8Array(mapping.buffer);
    bytes[4096] = 77;
    assert.equal(readFileSync(path)[4096], 77);
    const second = new Uint8Array(libc.view(mapping.address, 8192));
    assert.equal(second[4096], 77);
    assert.match(readFileSync("/proc/self/maps", "latin1"), new RegExp(path));
    mapping[Symbol.dispose]();
    mapping[Symbol.dispose]();
    assert.equal(bytes.length, 0);
    assert.equal(mapping.buffer.byteLength, 0);
    assert.doesNotMatch(readFileSync("/proc/self/maps", "latin1"), new RegExp(path));
  } finally {
    libc.close(fd);
    rmSync(folder, { recursive: true });
  }
});

test("SharedMapping views a part, and more for as long as it is used", () => {
  const libc = loadLibc();
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-libc-"));
  const path = join(folder, "file");
  writeFileSync(path, new Uint8Array(16384).fill(5));
  const fd = check(libc, "open", libc.open(cString(path), O_RDWR | O_CLOEXEC, 0), "open", "-");
  try {
    const mapping = new SharedMapping(libc, fd, 16384, "a file", 4096);
    assert.equal(mapping.buffer.byteLength, 4096);
    const whole = mapping.viewed((memory) => {
      const bytes = new Uint8Array(memory);
      bytes[0] = 6;
      bytes[16383] = 7;
      return bytes;
    });
    assert.equal(whole.length, 0, "it is detached");
    assert.equal(new Uint8Array(mapping.buffer)[0], 6);
    assert.equal(readFileSync(path)[16383], 7);
    assert.equal(mapping.viewed(({ byteLength }) => byteLength, 8192), 8192);
    mapping[Symbol.dispose]();
    assert.throws(() => mapping.viewed(() => {}), TypeError);
  } finally {
    libc.close(fd);
    rmSync(folder, { recursive: true });
  }
});

test("SharedMapping of a closed descriptor is a SyscallError", () => {
  assert.throws(
    () => new SharedMapping(loadLibc(), -1, 4096, "nothing"),
    (error) => error instanceof SyscallError && error.code === "EBADF" && error.syscall === "mmap",
  );
});

test("addressOf() is the address that C sees", () => {
  const libc = loadLibc();
  for (const length of [1, 8, 64, 65, 5000]) {
    const bytes = new Uint8Array(length).fill(7);
    assert.deepEqual(new Uint8Array(libc.view(libc.addressOf(bytes), length)), bytes);
    // A part of a larger buffer begins at its own first byte.
    const part = new Uint8Array(new ArrayBuffer(length + 16), 16, length);
    assert.equal(libc.addressOf(part), libc.addressOf(new Uint8Array(part.buffer)) + 16n);
  }
});

test("syscall() passes addresses and negative numbers", () => {
  const libc = loadLibc();
  const openat = process.arch === "x64" ? 257n : 56n;
  const path = cString("/dev/null");
  const fd = libc.syscall(
    openat,
    BigInt.asUintN(64, -100n), // AT_FDCWD
    libc.addressOf(path),
    BigInt(O_CLOEXEC),
    0n,
    0n,
    0n,
  );
  assert.ok(fd > 2n, `openat gave ${fd}`);
  assert.equal(readlinkSync(`/proc/self/fd/${fd}`), "/dev/null");
  assert.equal(libc.close(Number(fd)), 0);
});

test("posix_spawn and waitpid start a program and give its status", () => {
  const libc = loadLibc();
  const pid = new Int32Array(1);
  const argv = cStringArray(libc, ["sh", "-c", 'test "$WORD" = "two words" && exit 7']);
  const environment = cStringArray(libc, ["WORD=two words", `PATH=${process.env.PATH}`]);
  const failed = libc.posix_spawn(
    new Uint8Array(pid.buffer),
    cString("/bin/sh"),
    null,
    null,
    argv.bytes,
    environment.bytes,
  );
  assert.equal(failed, 0);
  const status = new Int32Array(1);
  assert.equal(libc.waitpid(pid[0], new Uint8Array(status.buffer), 0), pid[0]);
  assert.equal(status[0], 7 << 8);
});

test("cString() refuses a NUL", () => {
  assert.throws(() => cString("a\0b"), TypeError);
});

test("a descriptor with O_CLOEXEC does not reach a child", () => {
  const libc = loadLibc();
  const fd = libc.open(cString("/dev/null"), O_RDWR | O_CLOEXEC, 0);
  try {
    const inherited = execFileSync("sh", ["-c", "ls -l /proc/self/fd"]).toString();
    assert.doesNotMatch(inherited, new RegExp(`\\b${fd} -> /dev/null`));
  } finally {
    libc.close(fd);
  }
});
