import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { withKernelCoverage } from "kernelcov";
import { KcovUnavailableError } from "../../../src/errors.ts";
import { KcovDevice } from "../../../src/kcov/kcov_device.ts";
import { RemoteDevice } from "../../../src/kcov/remote/remote_device.ts";
import { loadLibc } from "../../../src/sys/load.ts";
import { timeLimit } from "../../_support/limits/time_limit.ts";

// gcc takes its time in a user-mode kernel.
const SLOW = { timeout: timeLimit(120_000) };
const SOURCE = fileURLToPath(new URL("./fixtures/remote_paths.c", import.meta.url));

test("a thread has one device of each kind, and the end of one leaves the other alone", () => {
  const libc = loadLibc();
  using own = KcovDevice.open({ words: 8192 });
  using remote = RemoteDevice.open(libc, { sources: ["common"], words: 8192, areaWords: 8192 });
  using other = RemoteDevice.open(libc, { sources: ["usb:200"], words: 8192, areaWords: 8192 });
  remote.enable();
  own.enable();
  assert.throws(
    () => other.enable(),
    (error) => error instanceof KcovUnavailableError && error.reason === "busy",
  );
  own.disable();
  own.enable();
  remote.disable();
  own.reset();
  libc.read(-1, null, 0n);
  assert.ok(own.count() > 0);
  own.disable();
  other.enable();
  other.disable();
  remote.enable();
  remote.disable();
});

test(
  "a handle that another process has is refused by name, and bad ones before any call",
  SLOW,
  async () => {
    const program = join(mkdtempSync(join(tmpdir(), "kernelcov-remote-")), "remote_paths");
    execFileSync("gcc", ["-O1", "-Wall", "-Werror", "-pthread", "-o", program, SOURCE]);
    const holder = spawn(program, ["hold", "7"], { stdio: ["pipe", "pipe", "inherit"] });
    try {
      await once(holder.stdout, "data");
      using device = RemoteDevice.open(loadLibc(), {
        ...{ sources: ["usb:7"], words: 8192, areaWords: 8192 },
      });
      assert.throws(
        () => device.enable(),
        (error) =>
          error instanceof KcovUnavailableError && error.reason === "busy" &&
          /EEXIST/.test(error.message) && /usb:7/.test(error.message),
      );
      const ended = once(holder, "exit");
      holder.stdin.end();
      await ended;
      // A task that ends gives its handles back.
      device.enable();
      device.disable();
    } finally {
      holder.kill();
    }
    const body = () => {};
    assert.throws(() => withKernelCoverage(body, { remote: ["usb:0"] }), /no source/);
    assert.throws(() => withKernelCoverage(body, { remote: ["pci" as "common"] }), /no source/);
  },
);
