import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { formatInvocation, processInvocation } from "../../../src/record/invocation.ts";
import { makeGuestFolder } from "../../../src/machines/guest/guest_folder.ts";
import { guestFolders, startKernelcov } from "../../_support/guest_run.ts";

async function inFolder(body: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-sweep-"));
  try {
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Makes a folder as another process would have: what `makeGuestFolder` names it, with other owners in the name. */
function folderOf(parent: string, change: (name: string) => string): string {
  const made = makeGuestFolder(parent);
  const path = join(parent, change(basename(made)));
  renameSync(made, path);
  writeFileSync(join(path, "pid"), "1\n");
  return path;
}

const own = formatInvocation(processInvocation());

/** An invocation of a process that has ended. */
function endedInvocation(): string {
  const { pid } = spawnSync("true");
  return formatInvocation({ ...processInvocation(), pid, start: 1 });
}

test("what a process left that is gone is swept, and what a live one has stays", async () => {
  await inFolder((parent) => {
    const left = folderOf(parent, (name) => name.replace(own, endedInvocation()));
    // The same number, but another process has it now.
    const reused = folderOf(parent, (name) => name.replace(own, own.replace(/\d+$/, "7")));
    const before = folderOf(parent, (name) => name.replace(own, own.replace(/^.{8}/, "00112233")));
    const live = makeGuestFolder(parent);
    const another = makeGuestFolder(parent);
    assert.deepEqual([left, reused, before].filter(existsSync), []);
    assert.ok(existsSync(live) && existsSync(another) && live !== another);
  });
});

test("a process of another namespace of numbers is not taken for one that is gone", async () => {
  await inFolder((parent) => {
    const other = folderOf(
      parent,
      (name) => name.replace(own, endedInvocation()).replace(/guest-\d+/, "guest-1"),
    );
    makeGuestFolder(parent);
    assert.ok(existsSync(other));
  });
});

test("names that only look alike, links and folders of other users stay", async () => {
  await inFolder((parent) => {
    const alike = join(parent, "kernelcov-guest-of-mine");
    mkdirSync(alike);
    const target = join(parent, "precious");
    mkdirSync(target);
    writeFileSync(join(target, "file"), "");
    const link = folderOf(parent, (name) => name.replace(own, endedInvocation()));
    rmSync(link, { recursive: true });
    symlinkSync(target, link);
    const others = folderOf(parent, (name) => name.replace(own, endedInvocation()));
    const isRoot = process.getuid?.() === 0;
    if (isRoot) chownSync(others, 65534, 65534);
    makeGuestFolder(parent);
    assert.ok(existsSync(alike));
    assert.ok(existsSync(join(target, "file")));
    assert.equal(existsSync(others), isRoot);
  });
});

test("a kernelcov that is killed leaves a folder, which the next one sweeps", async () => {
  const run = startKernelcov(["kernel", "run", "--", "sh", "-c", "echo ready; sleep 600"]);
  await run.printed("ready");
  assert.equal(guestFolders(run.pid).length, 1);
  run.kill("SIGKILL");
  await run.ended;
  // Tests that run beside this one sweep, too: it may be gone already.
  const next = startKernelcov(["kernel", "run", "--", "true"]);
  const { status, stderr } = await next.ended;
  assert.equal(status, 0, stderr);
  assert.deepEqual([...guestFolders(run.pid), ...guestFolders(next.pid)], []);
});
