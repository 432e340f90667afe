// Files and directories. Run with `deno test -A examples` or `bun test ./examples`.
import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { withKernelCoverage } from "kernelcov";

/** Runs `body` with a folder of its own, removed afterwards. */
function inFolder(body: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "example-"));
  try {
    body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test(
  "a file keeps what was written",
  withKernelCoverage(() => {
    inFolder((folder) => {
      const path = join(folder, "note");
      writeFileSync(path, "hello, kernel");
      truncateSync(path, 5);
      assert.equal(readFileSync(path, "utf8"), "hello");
      assert.equal(statSync(path).size, 5);
    });
  }),
);

test(
  "a directory lists what was made in it",
  withKernelCoverage(() => {
    inFolder((folder) => {
      mkdirSync(join(folder, "one"));
      writeFileSync(join(folder, "two"), "");
      renameSync(join(folder, "two"), join(folder, "three"));
      symlinkSync("three", join(folder, "link"));
      assert.deepEqual(readdirSync(folder).sort(), ["link", "one", "three"]);
    });
  }),
);

test(
  "a missing file is an error",
  withKernelCoverage(() => {
    assert.throws(() => readFileSync("/no/such/file"), { code: "ENOENT" });
  }),
);
