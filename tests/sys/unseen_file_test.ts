import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { loadLibc } from "../../src/sys/load.ts";
import { createUnseenFile } from "../../src/sys/unseen_file.ts";

function inFolder(action: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-unseen-"));
  try {
    action(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("a file is made, written at its end and closed", () => {
  inFolder((folder) => {
    const path = join(folder, "é.records");
    const file = createUnseenFile(loadLibc(), path, 0o600);
    assert.equal(file.write(new TextEncoder().encode("one\n")), 4);
    file.write(new TextEncoder().encode("two\n"));
    assert.equal(file.isOpen(), true);
    file.close();
    assert.equal(readFileSync(path, "utf8"), "one\ntwo\n");
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.throws(() => createUnseenFile(loadLibc(), path), { code: "EEXIST" });
  });
});

test("a descriptor that other code closed, or that is another file's, is told", () => {
  inFolder((folder) => {
    const libc = loadLibc();
    const numbers: number[] = [];
    const watched = {
      ...libc,
      open(...args: Parameters<typeof libc.open>) {
        const fd = libc.open(...args);
        numbers.push(fd);
        return fd;
      },
    };
    const file = createUnseenFile(watched, join(folder, "a"));
    libc.close(numbers[0]!);
    assert.equal(file.isOpen(), false, "closed");
    assert.throws(() => file.write(new Uint8Array(1)), { code: "EBADF" });
    const other = openSync(join(folder, "b"), "w");
    assert.equal(file.isOpen(), false, "or another's");
    closeSync(other);
  });
});

test("what is missing is named", () => {
  inFolder((folder) => {
    assert.throws(() => createUnseenFile(loadLibc(), join(folder, "none/a")), {
      name: "SyscallError",
      code: "ENOENT",
    });
    const full = { ...loadLibc(), write: () => -1, errno: () => 28 };
    const file = createUnseenFile(full, join(folder, "a"));
    assert.throws(() => file.write(new Uint8Array(1)), /ENOSPC: make room on the disk/);
    file.close();
  });
});
