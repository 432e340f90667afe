/** Small tests of file system calls, each of another one: a change of the kernel concerns few of them. */
import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

function inFolder(body: (folder: string) => void): void {
  const folder = fs.mkdtempSync("/tmp/suite-");
  try {
    body(folder);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function withCode(code: string, body: () => unknown): void {
  assert.throws(body, (error: NodeJS.ErrnoException) => error.code === code);
}

test("a rename moves a file, over one that is there too", () => {
  inFolder((folder) => {
    fs.writeFileSync(join(folder, "a"), "one");
    fs.writeFileSync(join(folder, "b"), "two");
    fs.renameSync(join(folder, "a"), join(folder, "b"));
    assert.equal(fs.readFileSync(join(folder, "b"), "utf8"), "one");
    assert.equal(fs.existsSync(join(folder, "a")), false);
  });
});

test("a folder is not renamed over one with files", () => {
  inFolder((folder) => {
    fs.mkdirSync(join(folder, "a"));
    fs.mkdirSync(join(folder, "b/c"), { recursive: true });
    withCode("ENOTEMPTY", () => fs.renameSync(join(folder, "a"), join(folder, "b")));
  });
});

test("a hard link is the same file, and counted", () => {
  inFolder((folder) => {
    fs.writeFileSync(join(folder, "a"), "x");
    fs.linkSync(join(folder, "a"), join(folder, "b"));
    const [a, b] = ["a", "b"].map((name) => fs.statSync(join(folder, name)));
    assert.equal(a.ino, b.ino);
    assert.equal(a.nlink, 2);
    withCode("EEXIST", () => fs.linkSync(join(folder, "a"), join(folder, "b")));
  });
});

test("a symbolic link is followed, and a circle of them is an error", () => {
  inFolder((folder) => {
    fs.symlinkSync("target", join(folder, "link"));
    assert.equal(fs.readlinkSync(join(folder, "link")), "target");
    withCode("ENOENT", () => fs.statSync(join(folder, "link")));
    fs.symlinkSync("b", join(folder, "a"));
    fs.symlinkSync("a", join(folder, "b"));
    withCode("ELOOP", () => fs.statSync(join(folder, "a")));
  });
});

test("a file is truncated, and grown with zeros", () => {
  inFolder((folder) => {
    const path = join(folder, "a");
    fs.writeFileSync(path, "abcdef");
    fs.truncateSync(path, 2);
    assert.equal(fs.readFileSync(path, "utf8"), "ab");
    fs.truncateSync(path, 5);
    assert.deepEqual([...fs.readFileSync(path)], [97, 98, 0, 0, 0]);
  });
});

test("text is appended, whatever the position", () => {
  inFolder((folder) => {
    const file = fs.openSync(join(folder, "a"), "a+");
    fs.writeSync(file, "one");
    fs.writeSync(file, "two", 0);
    assert.equal(fs.readFileSync(join(folder, "a"), "utf8"), "onetwo");
    fs.closeSync(file);
  });
});

test("an exclusive open refuses a file that is there", () => {
  inFolder((folder) => {
    fs.writeFileSync(join(folder, "a"), "");
    withCode("EEXIST", () => fs.openSync(join(folder, "a"), "wx"));
  });
});

test("a folder with files is not removed, a file is not listed", () => {
  inFolder((folder) => {
    fs.mkdirSync(join(folder, "a"));
    fs.writeFileSync(join(folder, "a/b"), "");
    withCode("ENOTEMPTY", () => fs.rmdirSync(join(folder, "a")));
    withCode("ENOTDIR", () => fs.readdirSync(join(folder, "a/b")));
    withCode("ENOTDIR", () => fs.rmdirSync(join(folder, "a/b")));
  });
});

test("a folder is not read as a file, nor written", () => {
  inFolder((folder) => {
    withCode("EISDIR", () => fs.readFileSync(folder));
    withCode("EISDIR", () => fs.openSync(folder, "w"));
  });
});

test("modes are kept, and asked for by access", () => {
  inFolder((folder) => {
    const path = join(folder, "a");
    fs.writeFileSync(path, "");
    fs.chmodSync(path, 0o640);
    assert.equal(fs.statSync(path).mode & 0o777, 0o640);
    withCode("EACCES", () => fs.accessSync(path, fs.constants.X_OK));
    fs.chmodSync(path, 0o750);
    fs.accessSync(path, fs.constants.X_OK);
  });
});

test("times are set", () => {
  inFolder((folder) => {
    fs.utimesSync(folder, 1000, 2000);
    const { atimeMs, mtimeMs } = fs.statSync(folder);
    assert.deepEqual([atimeMs, mtimeMs], [1_000_000, 2_000_000]);
  });
});

test("a name of 256 bytes is too long", () => {
  inFolder((folder) => {
    fs.writeFileSync(join(folder, "n".repeat(255)), "");
    withCode("ENAMETOOLONG", () => fs.writeFileSync(join(folder, "n".repeat(256)), ""));
  });
});

test("parts of a file are read where they are", () => {
  inFolder((folder) => {
    fs.writeFileSync(join(folder, "a"), "0123456789");
    const file = fs.openSync(join(folder, "a"), "r");
    const bytes = new Uint8Array(4);
    assert.equal(fs.readSync(file, bytes, 0, 4, 8), 2);
    assert.deepEqual([...bytes], [56, 57, 0, 0]);
    assert.equal(fs.readSync(file, bytes, 0, 4, 20), 0);
    withCode("EBADF", () => fs.writeSync(file, "x"));
    fs.closeSync(file);
  });
});

test("the kernel's own files are read", () => {
  assert.match(fs.readFileSync("/proc/version", "utf8"), /^Linux version /);
  assert.match(fs.readFileSync("/proc/self/status", "utf8"), /^Pid:\t\d+$/m);
  assert.match(fs.readlinkSync("/proc/self/exe"), /deno|bun/);
});

test("devices give zeros and take everything", () => {
  const zero = fs.openSync("/dev/zero", "r");
  const bytes = new Uint8Array(8).fill(1);
  assert.equal(fs.readSync(zero, bytes), 8);
  assert.deepEqual([...bytes], Array(8).fill(0));
  fs.closeSync(zero);
  fs.writeFileSync("/dev/null", "x");
  withCode("ENOSPC", () => fs.writeFileSync("/dev/full", "x"));
});

test("space of a file system is told", () => {
  const { blocks, bfree, bsize } = fs.statfsSync("/tmp");
  assert.ok(blocks >= bfree && bsize > 0);
});
