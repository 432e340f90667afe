import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { runtimeName } from "../../src/sys/runtime.ts";

const ROOT = join(import.meta.dirname!, "../..");
const LAUNCHER = join(ROOT, "src/cli/kernelcov");
const folder = mkdtempSync(join(tmpdir(), "kernelcov-patch-"));
after(() => rmSync(folder, { recursive: true }));

function kernelcov(args: readonly string[], input = ""): string {
  const { KERNELCOV_RUN: _run, KERNELCOV: _mode, KERNELCOV_VMLINUX: _image, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(LAUNCHER, args, {
    cwd: ROOT,
    encoding: "utf8",
    env,
    input,
    maxBuffer: 2 ** 28,
  });
  assert.equal(status, 0, `kernelcov ${args.join(" ")}\n${stdout}\n${stderr}`);
  return stdout;
}

const source = join(dirname(kernelcov(["kernel", "path"]).trim()), "source");

/** A change of the kernel's source as `diff -u` writes it. */
function diffOf(file: string, changes: readonly (readonly [string, string])[]): string {
  const before = readFileSync(join(source, file), "utf8");
  let changed = before;
  for (const [from, to] of changes) {
    assert.ok(changed.includes(from), `${file} holds ${from}`);
    changed = changed.replace(from, to);
  }
  for (const [side, text] of [["a", before], ["b", changed]] as const) {
    mkdirSync(dirname(join(folder, side, file)), { recursive: true });
    writeFileSync(join(folder, side, file), text);
  }
  return spawnSync("diff", ["-u", `a/${file}`, `b/${file}`], { cwd: folder, encoding: "utf8" })
    .stdout;
}

/** A change that the kernel's source has, from the folder of such changes. */
function appliedPatch(name: string): string {
  const patch = readFileSync(join(ROOT, "tests/data/kernel_patches", name), "utf8");
  const args = ["-R", "-p1", "--fuzz=0", "--dry-run", "-d", source];
  const { status, stdout } = spawnSync("patch", args, { encoding: "utf8", input: patch });
  assert.equal(status, 0, stdout);
  return patch;
}

interface Answer {
  tests: { name: string; file: string; reasons: { closeness: string }[] }[];
  runAll: unknown[];
  hunks: { state: string; verified: boolean; reason: string; functions: string[] }[];
}

const run = join(folder, "run");
const runner = runtimeName() === "deno" ? ["deno", "test", "-A", "--no-check"] : ["bun", "test"];
kernelcov([
  ...["test", "--kernel", "embedded", "--out", folder, "--timeout", "300", "--", ...runner],
  ...["./examples/files_test.ts", "./examples/pipes_test.ts", "./examples/sockets_test.ts"],
]);

for (
  const [name, state] of [
    ["af_unix_manage_oob.patch", "covered"],
    // The changed condition is asked only where an out-of-band byte was met: the test enters the function.
    ["af_unix_zero_length_read.patch", "uncovered"],
  ] as const
) {
  test(`${name}, of two kernel releases, needs the unix socket test, and no other`, () => {
    const patch = appliedPatch(name);
    const answer: Answer = JSON.parse(kernelcov(["which", "--run", run, "--json"], patch));
    assert.deepEqual(answer.tests.map(({ name }) => name), ["a unix socket echoes"]);
    assert.deepEqual(answer.runAll, []);
    assert.ok(answer.hunks.every(({ verified }) => verified));
    const last = answer.hunks.at(-1)!;
    assert.deepEqual([last.state, last.functions], [state, ["unix_stream_read_generic"]]);
  });
}

test("pipe_fasync.patch, of two kernel releases, is named as covered by no test", () => {
  const patch = appliedPatch("pipe_fasync.patch");
  const answer: Answer = JSON.parse(kernelcov(["which", "--run", run, "--json"], patch));
  assert.deepEqual([answer.tests, answer.runAll], [[], []]);
  const [{ state, verified, functions }] = answer.hunks;
  assert.deepEqual([state, verified, functions], ["uncovered", true, ["pipe_fasync"]]);
});

test("a kernel patch of pipe_read needs the tests that read a pipe, and no other", () => {
  // Linux kernel commit ee5eda8ea595 ("pipe_read: don't wake up the writer if the pipe is still full"), in part.
  const patch = diffOf("fs/pipe.c", [
    ["bool was_full, wake_next_reader", "bool wake_writer = false, wake_next_reader"],
    [
      "\t\t\tif (!buf->len)\n\t\t\t\ttail = pipe_update_tail(pipe, buf, tail);",
      "\t\t\tif (!buf->len) {\n\t\t\t\twake_writer |= pipe_full(head, tail, pipe->max_usage);\n" +
      "\t\t\t\ttail = pipe_update_tail(pipe, buf, tail);\n\t\t\t}",
    ],
  ]);
  const answer: Answer = JSON.parse(kernelcov(["which", "--run", run, "--json"], patch));
  assert.deepEqual(answer.runAll, []);
  assert.ok(answer.hunks.every(({ verified, state }) => verified && state === "covered"));
  assert.equal(answer.tests[0]!.name, "a pipe carries bytes");
  assert.deepEqual([...new Set(answer.tests.map(({ file }) => file))], ["examples/pipes_test.ts"]);
});

test("a kernel patch of unix_stream_connect needs the unix socket test, and no other", () => {
  // Linux kernel commit 6c444255b193 ("af_unix: Set error only when needed in unix_stream_connect()"), in part.
  const patch = diffOf("net/unix/af_unix.c", [
    [
      "\terr = -ENOMEM;\n\n\t/* Allocate skb for sending to listening sock */",
      "\t/* Allocate skb for sending to listening sock */",
    ],
    ["\tif (skb == NULL)\n\t\tgoto out;", "\tif (!skb) {\n\t\terr = -ENOMEM;\n\t\tgoto out;\n\t}"],
  ]);
  const answer: Answer = JSON.parse(kernelcov(["which", "--run", run, "--json"], patch));
  assert.deepEqual(answer.tests.map(({ name }) => name), ["a unix socket echoes"]);
  assert.deepEqual(answer.runAll, []);
  assert.equal(
    kernelcov(["which", "--run", run, "--plain"], patch),
    "examples/sockets_test.ts: a unix socket echoes\n",
  );
});

test("a changed Kconfig file needs every test; an option that is off needs none", () => {
  const kconfig = diffOf("fs/Kconfig", [['menu "File systems"', 'menu "Files"']]);
  assert.equal(JSON.parse(kernelcov(["which", "--run", run, "--json"], kconfig)).runAll.length, 1);
  const btrfs = diffOf("fs/btrfs/inode.c", [["return", "return  "]]);
  const answer: Answer = JSON.parse(kernelcov(["which", "--run", run, "--json"], btrfs));
  assert.deepEqual([answer.tests, answer.runAll], [[], []]);
  assert.equal(answer.hunks[0]!.state, "not-built");
});
