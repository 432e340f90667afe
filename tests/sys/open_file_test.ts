import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openFile, openRegularFile, readWholeFile } from "../../src/sys/open_file.ts";

const folder = mkdtempSync(join(tmpdir(), "kernelcov-file-"));
after(() => rmSync(folder, { recursive: true }));
const content = Uint8Array.from({ length: 10_000 }, (_, at) => at % 251);

test("an open file is read by position, in any order, up to its end", () => {
  const path = join(folder, "file");
  writeFileSync(path, content);
  const file = openFile(path);
  assert.equal(file.size, content.length);
  const bytes = new Uint8Array(100);
  for (const offset of [9000, 17, 0, 9900]) {
    assert.equal(file.read(bytes, offset), 100);
    assert.deepEqual(bytes, content.subarray(offset, offset + 100));
  }
  assert.equal(file.read(bytes, 9950), 50);
  assert.equal(file.read(bytes, 10_000), 0);
  file.close();
  assert.deepEqual(readWholeFile(path), content);
});

test("an empty file has no bytes, and a missing one is an error that names it", () => {
  const path = join(folder, "empty");
  writeFileSync(path, "");
  assert.deepEqual(readWholeFile(path), new Uint8Array(0));
  const missing = join(folder, "missing");
  assert.throws(() => openFile(missing), (error) => String(error).includes(missing));
});

test("only a regular file is opened, without waiting; where tests could have put it, no link to one", () => {
  const fifo = join(folder, "fifo");
  execFileSync("mkfifo", [fifo]);
  for (const [path, kind] of [[fifo, "a FIFO"], [folder, "a folder"], ["/dev/zero", "a device"]]) {
    assert.throws(() => openFile(path), {
      name: "TypeError",
      message: `Cannot read ${path}: it is ${kind}: name a regular file`,
    });
    assert.throws(() => openRegularFile(path), TypeError);
  }
  const path = join(folder, "real"), link = join(folder, "link");
  writeFileSync(path, content);
  symlinkSync(path, link);
  assert.deepEqual(readWholeFile(link), content);
  assert.throws(() => openRegularFile(link), {
    message: `${link} is not a regular file: remove it`,
  });
  const file = openRegularFile(path);
  assert.equal(file.size, content.length);
  file.close();
});
