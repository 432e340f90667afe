/** Small tests of calls with descriptors that runtimes have no function for. */
import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  bytes,
  bytesOf,
  cText,
  failsWith,
  succeeds,
  systemCall,
  textOf,
  using,
  usingPair,
  vectorsOf,
} from "./system_call.ts";

const F_DUPFD = 0, F_GETFD = 1, F_OFD_GETLK = 36, F_OFD_SETLK = 37;
const F_SETPIPE_SZ = 1031, F_GETPIPE_SZ = 1032, F_ADD_SEALS = 1033, F_GET_SEALS = 1034;
const NONBLOCK = 0o4000, CLOEXEC = 0o2000000, RDWR_CREAT = 0o102, AT_FDCWD = -100;

function inFolder(body: (folder: string) => void): void {
  const folder = fs.mkdtempSync("/tmp/suite-");
  try {
    body(folder);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function memoryFile(body: (fd: number) => void, flags = 0): void {
  using(succeeds("memfd_create", cText("suite"), flags), body);
}

function write(fd: number, text: string): void {
  assert.equal(succeeds("write", fd, bytes(text), text.length), text.length);
}

function read(fd: number, length = 64): string {
  const memory = new Uint8Array(length);
  return textOf(memory, succeeds("read", fd, memory, length));
}

test("a descriptor's copy has the number that is wanted", () => {
  memoryFile((fd) => {
    using(succeeds("fcntl", fd, F_DUPFD, 700), (copy) => {
      assert.ok(copy >= 700, `${copy}`);
      assert.equal(succeeds("fcntl", copy, F_GETFD, 0), 0);
    });
    using(succeeds("dup3", fd, 710, CLOEXEC), (copy) => {
      assert.equal(copy, 710);
      assert.equal(succeeds("fcntl", copy, F_GETFD, 0), 1);
    });
    failsWith("EINVAL", "dup3", fd, fd, 0);
    failsWith("EBADF", "dup3", 9999, 711, 0);
    failsWith("EINVAL", "fcntl", fd, F_DUPFD, 2 ** 30);
  });
});

test("a range of descriptors is closed", () => {
  memoryFile((fd) => {
    for (const copy of [720, 721, 723]) succeeds("dup3", fd, copy, 0);
    succeeds("close_range", 720, 722, 0);
    failsWith("EBADF", "fcntl", 720, F_GETFD, 0);
    failsWith("EBADF", "fcntl", 721, F_GETFD, 0);
    succeeds("close_range", 723, 723, 4);
    assert.equal(succeeds("fcntl", 723, F_GETFD, 0), 1);
    succeeds("close", 723);
    failsWith("EINVAL", "close_range", 5, 4, 0);
  });
});

test("a lock of a file is one opening's", () => {
  const SHARED = 1, EXCLUSIVE = 2, AT_ONCE = 4, UNLOCK = 8;
  inFolder((folder) => {
    const path = cText(join(folder, "a"));
    using(
      succeeds("openat", AT_FDCWD, path, RDWR_CREAT, 0o600),
      (first) =>
        using(succeeds("openat", AT_FDCWD, path, RDWR_CREAT, 0o600), (second) => {
          succeeds("flock", first, SHARED);
          succeeds("flock", second, SHARED);
          failsWith("EAGAIN", "flock", first, EXCLUSIVE | AT_ONCE);
          succeeds("flock", second, UNLOCK);
          succeeds("flock", first, EXCLUSIVE | AT_ONCE);
          failsWith("EINVAL", "flock", first, 0);
        }),
    );
  });
});

test("a lock of a part is in the way of the same part", () => {
  const READ = 0, WRITE = 1, UNLOCK = 2;
  const lock = (type: number, start: bigint, length: bigint): BigInt64Array<ArrayBuffer> =>
    BigInt64Array.of(BigInt(type), start, length, 0n);
  inFolder((folder) => {
    const path = cText(join(folder, "a"));
    using(
      succeeds("openat", AT_FDCWD, path, RDWR_CREAT, 0o600),
      (first) =>
        using(succeeds("openat", AT_FDCWD, path, RDWR_CREAT, 0o600), (second) => {
          succeeds("fcntl", first, F_OFD_SETLK, bytesOf(lock(WRITE, 10n, 10n)));
          failsWith("EAGAIN", "fcntl", second, F_OFD_SETLK, bytesOf(lock(READ, 15n, 1n)));
          succeeds("fcntl", second, F_OFD_SETLK, bytesOf(lock(WRITE, 20n, 5n)));
          const asked = lock(WRITE, 0n, 0n);
          succeeds("fcntl", second, F_OFD_GETLK, bytesOf(asked));
          assert.deepEqual([...asked.slice(0, 3)], [1n, 10n, 10n]);
          succeeds("fcntl", first, F_OFD_SETLK, bytesOf(lock(UNLOCK, 12n, 4n)));
          succeeds("fcntl", second, F_OFD_SETLK, bytesOf(lock(READ, 13n, 2n)));
          failsWith("EAGAIN", "fcntl", second, F_OFD_SETLK, bytesOf(lock(READ, 17n, 1n)));
        }),
    );
  });
});

test("bytes move from a file into a pipe, and are copied between pipes", () => {
  memoryFile((file) =>
    usingPair(
      "pipe2",
      [0],
      (reader, writer) =>
        usingPair("pipe2", [0], (otherReader, otherWriter) => {
          write(file, "splices");
          const from = BigInt64Array.of(2n);
          assert.equal(succeeds("splice", file, bytesOf(from), writer, 0, 3, 0), 3);
          assert.equal(from[0], 5n);
          assert.equal(succeeds("tee", reader, otherWriter, 8, 0), 3);
          assert.deepEqual([read(reader), read(otherReader)], ["lic", "lic"]);
          failsWith("EINVAL", "splice", file, bytesOf(from), file, 0, 3, 0);
          failsWith("ESPIPE", "splice", file, bytesOf(from), writer, bytesOf(from), 3, 0);
          failsWith("EAGAIN", "tee", reader, otherWriter, 8, 2);
          failsWith("EINVAL", "tee", reader, writer, 8, 0);
        }),
    )
  );
});

test("memory is given to a pipe", () => {
  usingPair("pipe2", [0], (reader, writer) => {
    const pieces = [bytes("in "), bytes("pieces")];
    assert.equal(succeeds("vmsplice", writer, vectorsOf(pieces), 2, 0), 9);
    assert.equal(read(reader), pieces.map((piece) => textOf(piece)).join(""));
  });
});

test("a file is sent to another, from a place on", () => {
  memoryFile((from) =>
    memoryFile((to) => {
      write(from, "0123456789");
      const start = BigInt64Array.of(4n);
      assert.equal(succeeds("sendfile", to, from, bytesOf(start), 3), 3);
      assert.equal(start[0], 7n);
      succeeds("lseek", to, 0, 0);
      assert.equal(read(to), "456");
    })
  );
});

test("a range is copied from file to file", () => {
  memoryFile((from) =>
    memoryFile((to) => {
      write(from, "0123456789");
      const source = BigInt64Array.of(8n), target = BigInt64Array.of(1n);
      const places = [bytesOf(source), bytesOf(target)];
      assert.equal(succeeds("copy_file_range", from, places[0], to, places[1], 100, 0), 2);
      assert.deepEqual([source[0], target[0]], [10n, 3n]);
      assert.equal(read(to), "\0" + "89");
      failsWith("EINVAL", "copy_file_range", from, places[0], to, places[1], 1, 1);
    })
  );
});

test("seals keep a file as it is", () => {
  const SEAL = 1, SHRINK = 2, GROW = 4, WRITE = 8;
  memoryFile((fd) => {
    write(fd, "sealed");
    assert.equal(succeeds("fcntl", fd, F_GET_SEALS, 0), 0);
    succeeds("fcntl", fd, F_ADD_SEALS, SHRINK | GROW);
    failsWith("EPERM", "ftruncate", fd, 1);
    failsWith("EPERM", "ftruncate", fd, 100);
    failsWith("EPERM", "write", fd, bytes("more"), 4);
    succeeds("fcntl", fd, F_ADD_SEALS, WRITE | SEAL);
    failsWith("EPERM", "pwrite64", fd, bytes("x"), 1, 0);
    failsWith("EPERM", "fcntl", fd, F_ADD_SEALS, SHRINK);
    assert.equal(succeeds("fcntl", fd, F_GET_SEALS, 0), SEAL | SHRINK | GROW | WRITE);
  }, 2);
  memoryFile((fd) => assert.equal(succeeds("fcntl", fd, F_GET_SEALS, 0), SEAL));
});

test("space is taken ahead, and holes are made of it", () => {
  const KEEP = 1, PUNCH = 2;
  memoryFile((fd) => {
    const size = (): number => succeeds("lseek", fd, 0, 2);
    succeeds("fallocate", fd, KEEP, 0, 8192);
    assert.equal(size(), 0);
    succeeds("fallocate", fd, 0, 0, 8192);
    assert.equal(size(), 8192);
    succeeds("pwrite64", fd, bytes("hole"), 4, 0);
    succeeds("fallocate", fd, PUNCH | KEEP, 1, 2);
    succeeds("lseek", fd, 0, 0);
    assert.equal(read(fd, 4), "h\0\0e");
    failsWith("EOPNOTSUPP", "fallocate", fd, PUNCH, 0, 1);
    failsWith("EINVAL", "fallocate", fd, 0, 0, 0);
  });
});

test("data and holes of a file are found", () => {
  const DATA = 3, HOLE = 4;
  memoryFile((fd) => {
    succeeds("ftruncate", fd, 4 * 4096);
    succeeds("pwrite64", fd, bytes("x"), 1, 2 * 4096);
    assert.equal(succeeds("lseek", fd, 0, DATA), 2 * 4096);
    assert.equal(succeeds("lseek", fd, 2 * 4096, HOLE), 3 * 4096);
    failsWith("ENXIO", "lseek", fd, 3 * 4096, DATA);
    failsWith("ENXIO", "lseek", fd, 5 * 4096, HOLE);
    failsWith("EINVAL", "lseek", fd, -1, 0);
    failsWith("EINVAL", "lseek", fd, 0, 9);
    assert.equal(succeeds("lseek", fd, -1, 2), 4 * 4096 - 1);
  });
});

test("pieces of memory are written and read in one call", () => {
  memoryFile((fd) => {
    assert.equal(succeeds("pwritev", fd, vectorsOf([bytes("ab"), bytes("cde")]), 2, 1, 0), 5);
    const pieces = [new Uint8Array(3), new Uint8Array(9)];
    assert.equal(succeeds("preadv", fd, vectorsOf(pieces), 2, 0, 0), 6);
    assert.deepEqual([textOf(pieces[0]), textOf(pieces[1], 3)], ["\0ab", "cde"]);
    failsWith("EINVAL", "writev", fd, vectorsOf([bytes("x")]), 1025);
    assert.equal(succeeds("writev", fd, vectorsOf([]), 0), 0);
    failsWith("EINVAL", "preadv", fd, vectorsOf(pieces), 2, -1, -1);
  });
});

test("a pipe takes what it has room for", () => {
  usingPair("pipe2", [NONBLOCK], (reader, writer) => {
    assert.equal(succeeds("fcntl", writer, F_SETPIPE_SZ, 5000), 8192);
    assert.equal(succeeds("fcntl", reader, F_GETPIPE_SZ, 0), 8192);
    const large = new Uint8Array(10000);
    assert.equal(succeeds("write", writer, large, 10000), 8192);
    failsWith("EAGAIN", "write", writer, large, 1);
    failsWith("EBUSY", "fcntl", writer, F_SETPIPE_SZ, 4096);
    assert.equal(succeeds("read", reader, large, 10000), 8192);
    failsWith("EAGAIN", "read", reader, large, 1);
  });
  failsWith("EINVAL", "pipe2", new Uint8Array(8), 1);
});

test("a pipe of packets keeps them apart", () => {
  usingPair("pipe2", [0o40000], (reader, writer) => {
    write(writer, "one");
    write(writer, "two");
    assert.deepEqual([read(reader, 2), read(reader)], ["on", "two"]);
  });
});

test("how many bytes can be read is told", () => {
  const FIONREAD = 0x541b, waiting = new Int32Array(1);
  usingPair("pipe2", [0], (reader, writer) => {
    write(writer, "four");
    succeeds("ioctl", reader, FIONREAD, bytesOf(waiting));
    assert.equal(waiting[0], 4);
    failsWith("ENOTTY", "ioctl", reader, 0x5401, new Uint8Array(64));
  });
});

test("a path is kept below its folder", () => {
  const openAt2 = (folder: number, path: string, resolve: number): number => {
    const how = bytesOf(BigUint64Array.of(0n, 0n, BigInt(resolve)));
    return systemCall("openat2", folder, cText(path), how, 24);
  };
  inFolder((folder) => {
    fs.writeFileSync(join(folder, "a"), "");
    fs.symlinkSync("a", join(folder, "link"));
    using(succeeds("openat", AT_FDCWD, cText(folder), 0), (fd) => {
      assert.equal(openAt2(fd, "../x", 8), -18);
      assert.equal(openAt2(fd, "/etc", 8), -18);
      assert.equal(openAt2(fd, "link", 4), -40);
      assert.equal(openAt2(fd, "a", 0x400), -22);
      using(openAt2(fd, "link", 8), (found) => assert.ok(found >= 0, `${found}`));
      failsWith("EINVAL", "openat2", fd, cText("a"), new Uint8Array(24), 8);
    });
  });
});

test("names are exchanged, or not taken", () => {
  const NOREPLACE = 1, EXCHANGE = 2;
  inFolder((folder) => {
    const [a, b] = ["a", "b"].map((name) => join(folder, name));
    fs.writeFileSync(a, "of a");
    fs.writeFileSync(b, "of b");
    const rename = (flags: number): number =>
      systemCall("renameat2", AT_FDCWD, cText(a), AT_FDCWD, cText(b), flags);
    assert.equal(rename(NOREPLACE), -17);
    assert.equal(rename(EXCHANGE), 0);
    assert.equal(fs.readFileSync(a, "utf8"), "of b");
    assert.equal(rename(NOREPLACE | EXCHANGE), -22);
    fs.rmSync(b);
    assert.equal(rename(EXCHANGE), -2);
  });
});

test("attributes of a file are set, listed and removed", () => {
  const CREATE = 1, REPLACE = 2;
  memoryFile((fd) => {
    const name = cText("trusted.suite"), value = new Uint8Array(8);
    const set = (text: string, flags: number): number =>
      systemCall("fsetxattr", fd, name, bytes(text), text.length, flags);
    assert.equal(set("one", REPLACE), -61);
    assert.equal(set("one", CREATE), 0);
    assert.equal(set("two", CREATE), -17);
    assert.equal(succeeds("fgetxattr", fd, name, value, 8), 3);
    assert.equal(textOf(value, 3), "one");
    failsWith("ERANGE", "fgetxattr", fd, name, value, 2);
    const list = new Uint8Array(64);
    assert.ok(textOf(list, succeeds("flistxattr", fd, list, 64)).includes("trusted.suite\0"));
    succeeds("fremovexattr", fd, name);
    failsWith("ENODATA", "fgetxattr", fd, name, value, 8);
  });
});

test("a pipe with a name is made, and is one", () => {
  inFolder((folder) => {
    const path = join(folder, "pipe");
    succeeds("mknodat", AT_FDCWD, cText(path), 0o010600, 0);
    assert.ok(fs.statSync(path).isFIFO());
    failsWith("EEXIST", "mknodat", AT_FDCWD, cText(path), 0o010600, 0);
    failsWith("EINVAL", "mknodat", AT_FDCWD, cText(`${path}2`), 0o150000, 0);
    failsWith("ENXIO", "openat", AT_FDCWD, cText(path), 1 | NONBLOCK);
  });
});

test("a part of a file is mapped, and written through", () => {
  const SHARED = 1, READ_WRITE = 3;
  memoryFile((fd) => {
    succeeds("ftruncate", fd, 8192);
    const address = succeeds("mmap", 0, 4096, READ_WRITE, SHARED, fd, 4096);
    succeeds("pwrite64", fd, bytes("seen"), 4, 4096);
    succeeds("msync", address, 4096, 4);
    failsWith("EINVAL", "msync", address + 1, 4096, 4);
    const state = new Uint8Array(1);
    succeeds("mincore", address, 4096, state);
    assert.equal(state[0] & 1, 1);
    succeeds("munmap", address, 4096);
    failsWith("ENOMEM", "msync", address, 4096, 4);
    failsWith("EINVAL", "mmap", 0, 4096, READ_WRITE, SHARED, fd, 1);
  });
});

test("what a stat call is asked for it tells", () => {
  const words = new Uint32Array(64);
  memoryFile((fd) => {
    write(fd, "12345");
    succeeds("statx", fd, cText(""), 0x1000, 0x7ff, bytesOf(words));
    assert.deepEqual([words[10], words[4]], [5, 0]);
    failsWith("ENOENT", "statx", fd, cText(""), 0, 0x7ff, bytesOf(words));
    failsWith("EINVAL", "statx", fd, cText(""), 0x1000, 0x80000000, bytesOf(words));
  });
});
