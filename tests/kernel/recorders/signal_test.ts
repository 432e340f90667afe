import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { parseAddress } from "../../../src/base/address.ts";
import { originClass } from "../../../src/coverage/origin_class.ts";
import type { TestRecord } from "../../../src/record/test_record.ts";
import { kernelFunctions } from "../../_support/kernel_symbols.ts";
import { runFixture } from "../../_support/run_supervised_fixture.ts";
import { RECORDERS, recordNamed } from "../../_support/supervised.ts";
import { timeLimit } from "../../_support/limits/time_limit.ts";

const SLOW = {
  timeout: timeLimit(120_000),
  skip: process.arch !== "x64" || !RECORDERS.includes("collectors"),
};
const CALLS = ["stat", "mkfifo", "setxattr", "socketpair", "sendto"];
/** Of the functions that a test is shown to run so many are its call's at least. */
const SHARE = 0.9;
/** An odd number of runs: the one in the middle counts. */
const RUNS = 3;

const folder = mkdtempSync(join(tmpdir(), "kernelcov-signal-"));
after(() => rmSync(folder, { recursive: true }));
const program = join(folder, "one_call");
const source = fileURLToPath(new URL("./fixtures/one_call.c", import.meta.url));
execFileSync("gcc", ["-O2", "-Wno-unused-result", "-o", program, source]);

type Functions = ReadonlySet<string>;

interface OwnCall {
  /** What KCOV stored of the call in each of several runs. */
  readonly always: Functions;
  /** What KCOV or a collector stored of it, and of what it led to, in any run. */
  readonly ever: Functions;
}

/** What the same call runs in a C program; slabs are filled and timers expire in some runs only. */
function calledInC(name: string): OwnCall {
  const runs = [1, 2, 3].map(() => {
    const output = execFileSync(program, [name, folder], { encoding: "utf8" });
    return output.split("\n\n").map((part) =>
      kernelFunctions(part.trim().split("\n").map((line) => parseAddress(line) ?? 0))
    );
  });
  const [first, ...others] = runs.map(([kcov]) => kcov);
  const always = new Set([...first].filter((found) => others.every((other) => other.has(found))));
  return { always, ever: new Set(runs.flat().flatMap((found) => [...found])) };
}

/** The functions of a record that are shown by default. */
function shown({ pcs, origins }: TestRecord): Functions {
  const machine = "x86_64";
  const counted = (origins ?? []).filter(({ origin }) =>
    ["own", "behalf"].includes(originClass(origin, { machine }))
  );
  const points = new Set(counted.flatMap(({ points }) => [...points]));
  return kernelFunctions(Array.from(points, (point) => pcs[point]));
}

function share(found: Functions, { ever }: OwnCall): number {
  return [...found].filter((name) => ever.has(name)).length / found.size;
}

/** Several runs, as in C: a look of the engine's at the clock or a slab that is filled is in some of them only. */
function recordsOf(recorder: "collectors" | "ptrace", runs: number): TestRecord[][] {
  return Array.from({ length: runs }, () => {
    const env = { ONE_CALL_FOLDER: mkdtempSync(join(folder, "run-")) };
    const run = runFixture(["../recorders/fixtures/one_call_tests.ts"], { recorder, env });
    assert.equal(run.status, 0, run.stdout + run.stderr);
    return [...run.records];
  });
}

function percent(value: number): string {
  return `${(value * 100).toFixed(0)} %`;
}

test("what a test of one system call is shown to run is what the call runs in C", SLOW, (t) => {
  // First: the kernel makes some of what it keeps, such as a neighbour's address, for whoever comes first.
  const inC = new Map(CALLS.map((name) => [name, calledInC(name)]));
  const collected = recordsOf("collectors", RUNS), [traced] = recordsOf("ptrace", 1);
  for (const [name, own] of inC) {
    const found = collected.map((records) => shown(recordNamed(records, name)))
      .sort((a, b) => share(a, own) - share(b, own));
    const shares = found.map((functions) => share(functions, own));
    const before = share(kernelFunctions(recordNamed(traced, name).pcs), own);
    t.diagnostic(
      `${name}: ${shares.map(percent).join(", ")} of the functions are the call's; traced: ${
        percent(before)
      }`,
    );
    const median = found[RUNS >> 1];
    const others = [...median].filter((name) => !own.ever.has(name));
    assert.ok(share(median, own) >= SHARE, `${name}: ${others} are not in C`);
    const ever = new Set(found.flatMap((functions) => [...functions]));
    assert.deepEqual([...own.always].filter((name) => !ever.has(name)), [], name);
  }
});
