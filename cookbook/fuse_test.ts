// A file system in user space: its server is a program that the test starts. Needs root.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { withKernelCoverage } from "kernelcov";
import { compiled, shell } from "./programs.ts";

const folder = mkdtempSync(join(tmpdir(), "cookbook-"));
let server: ChildProcess;

before(async () => {
  server = spawn(compiled("fuse_server"), [folder], { stdio: ["ignore", "pipe", "inherit"] });
  await once(server.stdout!, "data");
});
after(async () => {
  const ended = once(server, "exit");
  shell(`umount ${folder}`);
  assert.deepEqual(await ended, [0, null]);
  rmdirSync(folder);
});

test(
  "a file has what the server says",
  withKernelCoverage((cov) => {
    assert.equal(readFileSync(join(folder, "greeting"), "utf8"), "hello from user space\n");
    if (!cov.available) return;
    assert.ok(cov.reached("fuse_lookup"));
    assert.ok(cov.reached("fuse_direct_read_iter"));
  }),
);

test(
  "a file that the server does not know is not there",
  withKernelCoverage(async () => {
    await assert.rejects(readFile(join(folder, "other")), { code: "ENOENT" });
  }),
);
