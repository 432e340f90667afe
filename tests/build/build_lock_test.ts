import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import process from "node:process";
import { formatInvocation, processInvocation } from "../../src/record/invocation.ts";
import { withLock } from "../../src/build/build_lock.ts";

async function inFolder(body: (lock: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-lock-"));
  try {
    await body(join(folder, "lock"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("two holders of one lock run one after the other, and the second is told of the first", () =>
  inFolder(async (lock) => {
    const events: string[] = [];
    const first = withLock(lock, () => events.push("first waits"), async () => {
      events.push("first begins");
      await setTimeout(200);
      events.push("first ends");
    });
    const second = withLock(lock, (pid) => events.push(`second waits for ${pid}`), async () => {
      await Promise.resolve();
      events.push("second");
    });
    await Promise.all([first, second]);
    assert.deepEqual(events, [
      "first begins",
      `second waits for ${process.pid}`,
      "first ends",
      "second",
    ]);
    assert.equal(existsSync(lock), false);
  }));

test("a lock is given back when the body throws", () =>
  inFolder(async (lock) => {
    const failing = withLock(lock, () => {}, () => Promise.reject(new RangeError("no")));
    await assert.rejects(failing, RangeError);
    assert.equal(existsSync(lock), false);
  }));

test("a lock whose process is gone is taken over", () =>
  inFolder(async (lock) => {
    const child = spawn("true");
    await new Promise((resolve) => child.on("close", resolve));
    writeFileSync(lock, formatInvocation({ ...processInvocation(child.pid), start: 1 }));
    assert.equal(await withLock(lock, () => assert.fail("it waited"), () => Promise.resolve(1)), 1);
  }));

test("a lock whose process number has gone to another process is taken over", () =>
  inFolder(async (lock) => {
    // This process did not start at tick 1.
    writeFileSync(lock, formatInvocation({ ...processInvocation(), start: 1 }));
    await withLock(lock, () => assert.fail("it waited"), () => {
      assert.equal(readFileSync(lock, "utf8"), formatInvocation(processInvocation()));
      return Promise.resolve();
    });
  }));
