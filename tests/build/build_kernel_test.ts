import assert from "node:assert/strict";
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { inWorkshop, PROGRAMS } from "../_support/build_workshop.ts";
import { descendants, isRunning, startKernelcov } from "../_support/guest_run.ts";

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !condition(); i++) await setTimeout(40);
  assert.ok(condition());
}

test("a build says how long it takes, leaves image and sources, and is done once", () =>
  inWorkshop(PROGRAMS, async ({ kernels, env, calls }) => {
    const build = await startKernelcov(["kernel", "build"], { env }).ended;
    assert.equal(build.status, 0, build.stderr);
    assert.match(
      build.stderr,
      /^Building the embedded kernel once: about .* processors?\nUnpacking the kernel's source, 0:0\d\n/,
    );
    assert.match(build.stderr, /\nBuilt the embedded kernel in 0:\d\d\n$/);
    const [name, ...others] = readdirSync(kernels);
    assert.deepEqual(others, []);
    const folder = join(kernels, name!);
    assert.equal(build.stdout, `${join(folder, "vmlinux")}\n`);
    assert.deepEqual(readdirSync(folder).sort(), [
      "build.log",
      "config",
      "disk_use.json",
      "kernel.json",
      "linux",
      "source",
      "vmlinux",
    ]);
    // The sources stay for reports, patched; the objects go.
    assert.deepEqual(readdirSync(join(folder, "source")).sort(), [
      ".config",
      "fs",
      "patched",
      "unpacked",
    ]);
    assert.deepEqual(readdirSync(join(folder, "source/fs")), ["pipe.c"]);
    const made = calls().filter((call) => call.startsWith("make "));
    assert.equal(made.length, 2);
    assert.match(made[1]!, /ARCH=um .*-mcmodel=small .*vmlinux$/);

    const again = await startKernelcov(["kernel", "build"], { env }).ended;
    assert.deepEqual([again.status, again.stdout, again.stderr], [0, build.stdout, ""]);
    assert.equal(calls().filter((call) => call.startsWith("make ")).length, 2);
  }));

test("a failed build ends with the compiler's error and the log's path, and status 3", () =>
  inWorkshop(PROGRAMS, async ({ kernels, env }) => {
    const build = await startKernelcov(["kernel", "build"], { env: { ...env, BROKEN: "1" } }).ended;
    assert.equal(build.status, 3);
    const log = join(kernels, readdirSync(kernels)[0]!, "build.log");
    assert.ok(
      build.stderr.endsWith(
        `could not be built:\nfs/pipe.c:7:3: error: expected ';'\nThe full output is in ${log}\n`,
      ),
      build.stderr,
    );
    assert.match(readFileSync(log, "utf8"), /warning: something else/);
    // A failure is no kernel: the next build tries again.
    assert.equal((await startKernelcov(["kernel", "path"], { env }).ended).status, 3);
    assert.equal((await startKernelcov(["kernel", "build"], { env }).ended).status, 0);
  }));

test("an interrupted build leaves no process, and the next one goes on with its tree", () =>
  inWorkshop(PROGRAMS, async ({ env, calls }) => {
    const build = startKernelcov(["kernel", "build"], { env: { ...env, GO: "/never" } });
    await until(() => calls().includes("waiting"));
    assert.ok(descendants(build.pid).length > 0);
    const processes = descendants(build.pid);
    build.kill("SIGINT");
    const end = await build.ended;
    assert.equal(end.status, 130);
    assert.match(end.stderr, /the next build continues from here\n$/);
    await until(() => !processes.some(isRunning));

    const next = await startKernelcov(["kernel", "build"], { env }).ended;
    assert.equal(next.status, 0, next.stderr);
    assert.match(next.stderr, /^Building the embedded kernel, continuing the last build\n/);
    assert.equal(calls().filter((call) => call.startsWith("tar ")).length, 1);
  }));

test("two builds of one kernel wait for each other, and the second finds it built", () =>
  inWorkshop(PROGRAMS, async ({ folder, env, calls }) => {
    const go = join(folder, "go");
    const first = startKernelcov(["kernel", "build"], { env: { ...env, GO: go } });
    await until(() => calls().includes("waiting"));
    const waiting = startKernelcov(["kernel", "build"], { env });
    await waiting.printed("Waiting");
    writeFileSync(go, "");
    const second = await waiting.ended;
    assert.deepEqual([second.status, second.stdout], [0, (await first.ended).stdout]);
    assert.equal(second.stderr, `Waiting for the build that process ${first.pid} runs\n`);
    assert.equal(calls().filter((call) => call.endsWith(" vmlinux")).length, 1);
  }));

test("an archive that cannot be unpacked is an error, and nothing half-done is taken for a tree", () =>
  inWorkshop({ ...PROGRAMS, tar: "echo damaged >&2; exit 2" }, async ({ kernels, env }) => {
    const build = await startKernelcov(["kernel", "build"], { env }).ended;
    assert.equal(build.status, 3);
    assert.match(build.stderr, /Cannot unpack the kernel's source.*\ndamaged\n$/);
    assert.equal(existsSync(join(kernels, readdirSync(kernels)[0]!, "source")), false);
  }));

test("an option that the kernel does not accept fails the build and is named", () =>
  inWorkshop({
    ...PROGRAMS,
    make: 'grep -v CONFIG_EXT4_FS= "$KCONFIG_ALLCONFIG" >.config',
  }, async ({ env }) => {
    const build = await startKernelcov(["kernel", "build"], { env }).ended;
    assert.equal(build.status, 3);
    assert.match(
      build.stderr,
      /does not accept CONFIG_EXT4_FS=y: change src\/build\/recipe\/config\n$/,
    );
  }));

const NOT_INSTALLED = { "dpkg-query": "exit 1" };

test("an ordinary user is told the one line that installs what is missing", () =>
  inWorkshop({ ...PROGRAMS, ...NOT_INSTALLED }, async ({ folder, env, calls }) => {
    chmodSync(folder, 0o777);
    chmodSync(join(folder, "calls"), 0o666);
    const prefix = process.getuid?.() === 0
      ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
      : [];
    const home = { HOME: folder, DENO_DIR: join(folder, "deno") };
    const build = await startKernelcov(["kernel", "build"], { env: { ...env, ...home }, prefix })
      .ended;
    assert.equal(build.status, 3);
    assert.match(
      build.stderr,
      /^kernelcov: [^\n]*sudo apt-get install -y --no-install-recommends linux-source-6\.12 gcc [^\n]*\n$/,
    );
    assert.ok(!calls().some((call) => call.startsWith("make ")));
  }));

test("root has what is missing installed; where that fails, apt-get's own error is shown", {
  skip: process.getuid?.() !== 0 ? "only root installs" : false,
}, () =>
  inWorkshop({
    ...PROGRAMS,
    ...NOT_INSTALLED,
    "apt-get": 'case "$1" in install) echo "E: Unable to locate package bison" >&2; exit 100; esac',
  }, async ({ env, calls }) => {
    const build = await startKernelcov(["kernel", "build"], { env }).ended;
    assert.equal(build.status, 3);
    assert.match(build.stderr, /^Installing linux-source-6\.12, gcc, /);
    assert.match(build.stderr, /could not install .*: Unable to locate package bison\n$/);
    const apt = calls().filter((call) => /^apt-get (update|install)/.test(call));
    // The lists may be old: they are fetched before it is given up.
    assert.ok(apt.some((call) => call === "apt-get update"));
    assert.match(
      apt.at(-1)!,
      /^apt-get install -y --no-install-recommends linux-source-6\.12 gcc /,
    );
  }));
