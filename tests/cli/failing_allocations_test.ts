import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { findEmbeddedKernel } from "../../src/build/build_kernel.ts";
import { faultsKernel } from "../../src/build/faults_kernel.ts";
import { readFaults } from "../../src/record/faults/fault_files.ts";
import { readRun } from "../../src/record/read_run.ts";
import { runtimeName } from "../../src/sys/runtime.ts";
import { startKernelcov } from "../_support/guest_run.ts";

const ROOT = join(import.meta.dirname!, "../..");
const FIXTURE = "./tests/cli/fixtures/failing_allocations.ts";
const RUNNERS: Readonly<Record<string, readonly string[]>> = {
  deno: ["deno", "test", "-A", "--no-check"],
  bun: ["bun", "test"],
};
const kernel = findEmbeddedKernel(faultsKernel());
/** It is a kernel of its own, whose build takes too long for each run of all tests. */
const skip = kernel === undefined
  ? "its kernel was never built: npm run check:faults builds it and runs this"
  : false;
const OUT = mkdtempSync(join(tmpdir(), "kernelcov-faults-"));
after(() => rmSync(OUT, { recursive: true }));

interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function kernelcov(args: readonly string[]): Promise<Finished> {
  return startKernelcov(args, { cwd: ROOT, env: { NO_COLOR: "1" } }).ended;
}

/** Records the fixture's tests while allocations of pipe2 fail; once. */
let recorded: Promise<Finished> | undefined;
function record(): Promise<Finished> {
  const options = ["--kernel", "embedded", "--fail-nth", "pipe2", "--out", OUT];
  return recorded ??= kernelcov(["test", ...options, "--", ...RUNNERS[runtimeName()]!, FIXTURE]);
}

test("failing allocations reach the error path of alloc_pipe_info, and the report says so", {
  skip,
  timeout: 120_000,
}, async () => {
  const { status, stdout, stderr } = await record();
  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout, /^failed allocations: \d+, .*\n {2}only these reached \d+ points, /m);
  const shown = await kernelcov(["faults", "--run", join(OUT, "run"), "a pipe", "--json"]);
  assert.equal(shown.status, 0, shown.stderr);
  const { functions, calls } = JSON.parse(shown.stdout) as {
    functions: { name: string; file: string; lines: number[] }[];
    calls: { call: string; faults: { nth: number; error?: string }[] }[];
  };
  const source = readFileSync(join(kernel!.source, "fs/pipe.c"), "utf8").split("\n");
  const from = source.findIndex((line) =>
    line.startsWith("struct pipe_inode_info *alloc_pipe_info")
  );
  const label = source.findIndex((line, at) => at > from && line === "out_revert_acct:");
  const end = source.findIndex((line, at) => at > label && line === "}");
  const own = functions.find(({ name, file }) =>
    name === "alloc_pipe_info" && file === "fs/pipe.c"
  );
  assert.ok(own?.lines.some((line) => line > label && line <= end), shown.stdout);
  assert.deepEqual(calls.map(({ call }) => call), ["pipe2"]);
  const [{ faults }] = calls;
  assert.deepEqual(faults.map(({ nth }) => nth), faults.map((_, at) => at + 1));
  assert.ok(faults.length > 5);
  assert.ok(faults.every(({ error }) => /^Cannot make a pipe: pipe2: E/.test(error ?? "")));
});

test("the plain run alone decides what is recorded of a test, and how it ends", {
  skip,
  timeout: 120_000,
}, async () => {
  const { status, stdout, stderr } = await record();
  assert.equal(status, 0, stdout + stderr);
  const { records, kernel: { buildId } } = readRun(join(OUT, "run"));
  const tests = records.filter(({ kind }) => kind === "test");
  const names = [
    "a pipe",
    "two pipes, the second one late",
    "goes on without a pipe",
    "asks for itself",
    "waits for ever without a pipe",
    "opens no pipe",
    "that body ran with one failure",
  ];
  assert.deepEqual(
    tests.map(({ name, outcome }) => [name, outcome]),
    names.map((name) => [name, "passed"]),
  );
  const { runs, cuts, damaged } = readFaults(join(OUT, "run"), buildId);
  assert.equal(damaged, 0);
  assert.deepEqual(cuts.map(({ name, call }) => [name, call]), [[names[4], "pipe2"]]);
  assert.match(stdout, /not all allocations failed in 1 call of a test: kernelcov faults says why/);
  const of = (name: string) => runs.filter((run) => run.name === name);
  const [one, two, caught, asked, waiting, none] = names.map(of);
  assert.ok(two!.length > one!.length);
  assert.ok(two!.every(({ error }) => error !== undefined));
  assert.ok(caught!.length > 5);
  assert.ok(caught!.every(({ error }) => error === undefined));
  assert.deepEqual(asked!.map(({ nth }) => nth), [2]);
  assert.deepEqual(waiting!.map(({ nth, error }) => [nth, error]), [
    [1, "not at its end after 2 s"],
  ]);
  assert.deepEqual(none, []);
  // Of each failure what the test itself has not.
  const own = new Set(tests[0]!.pcs);
  assert.ok(one!.every(({ pcs }) => pcs.every((pc) => !own.has(pc))));
});

test("what cannot fail is a line that says what to change", async () => {
  const fails = async (args: string[], message: RegExp): Promise<void> => {
    const { status, stderr } = await kernelcov([...args, "--", ...RUNNERS[runtimeName()]!]);
    assert.equal(status, 2, stderr);
    assert.match(stderr, message);
  };
  await fails(["test", "--fail-nth", "pipe3"], /There is no system call pipe3 .*pipe2/);
  await fails(["test", "--fail-nth", ""], /--fail-nth names no system call: use all/);
  await fails(["test", "--fail-nth", "all", "--repeat", "2"], /leave out --repeat/);
  const build = await kernelcov(["kernel", "build", "--faults", "--name", "own"]);
  assert.equal(build.status, 2);
  assert.match(build.stderr, /--faults is a kernel of its own: leave out --source/);
});
