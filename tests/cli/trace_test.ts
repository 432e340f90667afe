import assert from "node:assert/strict";
import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { buildModel } from "@tracerbench/trace-model";
import { readRun } from "../../mod.ts";

const root = join(import.meta.dirname!, "../..");
const launcher = join(root, "src/cli/kernelcov");
const FIXTURE = "./tests/cli/fixtures/traced_tests.ts";
const RUNNERS = { deno: ["deno", "test", "-A", "--no-check"], bun: ["bun", "test"] } as const;
const OUT = mkdtempSync(join(tmpdir(), "kernelcov-trace-"));
after(() => rmSync(OUT, { recursive: true }));

function kernelcov(args: readonly string[]): SpawnSyncReturns<string> {
  return spawnSync(launcher, args, {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 1 << 30,
    // Looking for a language's files takes most of a buffer.
    env: { ...process.env, NO_COLOR: "1", LC_ALL: "C" },
  });
}

/** Records the fixture's tests, once for each runner; returns the run's folder. */
const recorded = new Map<string, string>();
function runOf(runner: keyof typeof RUNNERS): string {
  const out = join(OUT, runner);
  if (!recorded.has(runner)) {
    const options = ["--kernel", "embedded", "--mode", "trace", "--out", out];
    const { status, stderr } = kernelcov(["test", ...options, "--", ...RUNNERS[runner], FIXTURE]);
    assert.equal(status, 0, stderr);
    recorded.set(runner, join(out, "run"));
  }
  return recorded.get(runner)!;
}

function trace(run: string, ...args: string[]): string {
  const { status, stdout, stderr } = kernelcov(["trace", "--run", run, ...args]);
  assert.equal(stderr, "");
  assert.equal(status, 0);
  return stdout;
}

interface Call {
  function: string;
  times: number;
  evidence: string;
  children: Call[];
}

/** All calls of a function. */
function callsOf(calls: readonly Call[], name: string): Call[] {
  return calls.flatMap((call) => [
    ...(call.function === name ? [call] : []),
    ...callsOf(call.children, name),
  ]);
}

/** What a function called; what is inlined in part is the function's own. */
function calledBy({ children }: Call): string[] {
  return children.flatMap((call) =>
    call.function === "__do_pipe_flags"
      ? calledBy(call)
      : call.times === 1
      ? [call.function]
      : [`${call.function} ×${call.times}`]
  );
}

for (const runner of ["deno", "bun"] as const) {
  test(`the calls of pipe2 are those of its source, by ${runner}`, () => {
    const { entries } = JSON.parse(trace(runOf(runner), "a pipe", "--call", "pipe2", "--json")) as {
      entries: (Call & { entry: string })[];
    };
    assert.equal(entries.length, 1);
    const [pipe2] = entries;
    assert.equal(pipe2.entry, "pipe2(2)");
    assert.equal(pipe2.function, "__se_sys_pipe2");
    assert.deepEqual(calledBy(pipe2), ["do_pipe2"]);
    const one = (name: string): Call => {
      const found = callsOf([pipe2], name);
      assert.equal(found.length, 1, name);
      return found[0];
    };
    // As fs/pipe.c has it: __do_pipe_flags() and get_pipe_inode() are inlined.
    assert.deepEqual(calledBy(one("do_pipe2")), [
      ...["create_pipe_files", "get_unused_fd_flags ×2", "raw_copy_to_user"],
      ...["fput ×2", "put_unused_fd ×2"],
    ]);
    assert.deepEqual(calledBy(one("create_pipe_files")), [
      ...["new_inode_pseudo", "get_next_ino", "alloc_pipe_info", "simple_inode_init_ts"],
      ...["alloc_file_pseudo", "alloc_file_clone", "stream_open ×2"],
    ]);
    // As fs/file_table.c has it: alloc_path_pseudo() and alloc_file() are inlined.
    assert.deepEqual(calledBy(one("alloc_file_pseudo")), [
      ...["d_alloc_pseudo", "mntget", "d_instantiate", "alloc_empty_file", "file_init_path"],
    ]);
    assert.deepEqual(calledBy(one("alloc_file_clone")), [
      ...["alloc_empty_file", "file_init_path", "path_get"],
    ]);
    assert.ok(callsOf([pipe2], "alloc_pipe_info")[0].evidence === "call");
  });

  test(`what a test calls in a loop is counted, where its body asks for the order, by ${runner}`, () => {
    const text = trace(runOf(runner), "fourteen", "--call", "close");
    assert.match(text, /\nclose\(2\)\n {2}\w*sys_close ×14 {2}fs\/open\.c:\d+/);
    assert.match(text, /\n {4}file_close_fd {2}fs\/file\.c:\d+\n/);
  });
}

test("the events of a trace make a model of Chrome's traces, with all points on one axis", () => {
  const run = runOf("deno");
  const text = trace(run, "a pipe", "--format", "perfetto");
  const { traceEvents, otherData } = JSON.parse(text) as {
    traceEvents: {
      ph: string;
      name: string;
      ts: number;
      dur: number;
      args?: { points?: number };
    }[];
    otherData: { axis: string };
  };
  assert.match(otherData.axis, /KCOV has no times/);
  const model = buildModel(traceEvents as unknown as Parameters<typeof buildModel>[0]);
  assert.equal(model.processes.length, 1);
  const [{ threads }] = model.processes;
  assert.equal(threads.length, 1);
  const calls = traceEvents.filter(({ ph }) => ph === "X");
  const points = calls.reduce((sum, { args }) => sum + (args?.points ?? 0), 0);
  const record = readRun(run).records.find(({ name }) => name === "a pipe");
  assert.equal(points, record!.order!.points.length);
  // Each lies within the one before that has not ended.
  const open: number[] = [];
  for (const { ts, dur } of calls) {
    while (open.length > 0 && open.at(-1)! <= ts) open.pop();
    assert.ok(dur > 0 && (open.length === 0 || ts + dur <= open.at(-1)!));
    open.push(ts + dur);
  }
});

test("folded stacks have every point once", () => {
  const run = runOf("deno");
  const lines = trace(run, "a pipe", "--format", "folded").trimEnd().split("\n");
  assert.ok(
    lines.some((line) =>
      /^pipe2\(2\);__se_sys_pipe2;do_pipe2;create_pipe_files;alloc_pipe_info \d+$/.test(line)
    ),
  );
  assert.ok(lines.every((line) => /^[^\s;]+(?:;[^\s;]+)+ \d+$/.test(line)));
  const sum = lines.reduce((all, line) => all + Number(line.split(" ")[1]), 0);
  const record = readRun(run).records.find(({ name }) => name === "a pipe")!;
  assert.equal(sum, record.order!.points.length);
  // What the order has is what the record counts.
  const counts = new Map<number, number>();
  for (const point of record.order!.points) counts.set(point, (counts.get(point) ?? 0) + 1);
  assert.deepEqual(Uint32Array.from(record.pcs.keys(), (at) => counts.get(at) ?? 0), record.hits);
});

test("what trace cannot show is a line that says what to change", () => {
  const run = runOf("deno");
  const fails = (args: string[], message: RegExp): void => {
    const { status, stderr } = kernelcov(["trace", "--run", run, ...args]);
    assert.equal(status, 2);
    assert.match(stderr, message);
  };
  fails([], /Name one test/);
  fails(["no such"], /No test is named/);
  fails(["a pipe", "--call", "openat2"], /The trace has no call "openat2": it has .*pipe2/);
  fails(["a pipe", "--format", "svg"], /use text, perfetto, folded, json/);
  fails(["a pipe", "--json", "--format", "folded"], /are two formats/);
  fails(["a pipe", "--depth", "0"], /not a whole number above 0/);
  const shown = trace(run, "a pipe", "--call", "pipe2", "--depth", "2");
  assert.match(shown, /\n {4}do_pipe2 .*\+\d+ calls\n/);
  assert.doesNotMatch(shown, /create_pipe_files/);
  const ptrace = ["--kernel", "embedded", "--scope", "tree", "--recorder", "ptrace"];
  const { status, stderr } = kernelcov([
    ...["test", "--mode", "trace", ...ptrace, "--out", join(OUT, "ptrace"), "--", "deno", "test"],
  ]);
  assert.equal(status, 2);
  assert.match(stderr, /--mode trace needs the thread's own device, .*: use --scope thread/);
});

for (const runner of ["deno", "bun"] as const) {
  test(`in tree scope a body that asks for the order has it beside its collector, by ${runner}`, () => {
    const out = join(OUT, `tree-${runner}`);
    const args = ["test", "--kernel", "embedded", "--out", out, "--", ...RUNNERS[runner], FIXTURE];
    const { status, stdout, stderr } = kernelcov(args);
    assert.equal(status, 0, stderr);
    assert.doesNotMatch(stdout + stderr, /no order/);
    const run = join(out, "run");
    const text = trace(run, "fourteen", "--call", "close");
    assert.match(text, /\nclose\(2\)\n {2}\w*sys_close ×14 /);
    // Nothing of the library's own.
    assert.doesNotMatch(trace(run, "fourteen"), /kcov/);
    const asked = kernelcov(["trace", "--run", run, "a pipe"]);
    assert.equal(asked.status, 2);
    assert.match(asked.stderr, /has no order: use --mode trace of kernelcov test or record/);
  });
}

test("record --mode trace keeps the order of a command's first thread", () => {
  const out = join(OUT, "record");
  const options = ["--kernel", "embedded", "--mode", "trace", "--out", out];
  const { status, stderr } = kernelcov(["record", ...options, "--", "/bin/cat", "/proc/self/comm"]);
  assert.equal(status, 0, stderr);
  const run = join(out, "run");
  const [record] = readRun(run).records;
  assert.deepEqual([record.order?.cut, record.order?.full], [0, false]);
  const counts = new Uint32Array(record.pcs.length);
  for (const point of record.order!.points) counts[point]++;
  assert.deepEqual(counts, record.hits);
  const calls = trace(run, "cat").split("\n").filter((line) => /^[a-z0-9_]+\(2\)$/.test(line));
  assert.equal(calls[0], "execve(2)");
  const last = calls.slice(calls.lastIndexOf("openat(2)"));
  assert.deepEqual(last.filter((call) => /^(?:openat|read|write|exit_group)/.test(call)), [
    ...["openat(2)", "read(2)", "write(2)", "read(2)", "exit_group(2)"],
  ]);
});
