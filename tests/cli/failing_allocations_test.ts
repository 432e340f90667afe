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
  return recorded ??= kernelcov(["test", ...options, "--", ...RUNNERS[runtimeName()], FIXTURE]);
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
