// Pipes and readiness. Run with `deno test -A examples` or `bun test ./examples`.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { withKernelCoverage } from "kernelcov";

const folder = mkdtempSync(join(tmpdir(), "example-"));
const path = join(folder, "pipe");
execFileSync("mkfifo", [path]);
// Both ends in one: such an open does not wait for the other end.
const pipe = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
rmSync(folder, { recursive: true });

test(
  "a pipe carries bytes",
  withKernelCoverage(() => {
    const bytes = new Uint8Array(16);
    assert.equal(writeSync(pipe, "through a pipe"), 14);
    assert.equal(readSync(pipe, bytes), 14);
    assert.equal(new TextDecoder().decode(bytes.subarray(0, 14)), "through a pipe");
  }),
);

test(
  "an empty pipe has nothing to read",
  withKernelCoverage(() => {
    assert.throws(() => readSync(pipe, new Uint8Array(16)), { code: "EAGAIN" });
  }),
);

test(
  "a timer wakes the event loop",
  withKernelCoverage(async () => {
    assert.equal(await wait(10, "awake"), "awake");
  }),
);

test("the pipe is closed", () => {
  closeSync(pipe);
  assert.throws(() => closeSync(pipe), { code: "EBADF" });
});
