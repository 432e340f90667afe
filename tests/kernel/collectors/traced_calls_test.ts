import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { KCOV_CALL, KCOV_CALL_MASK, KCOV_HOW, KCOV_HOW_SHIFT } from "../../../src/kcov/origin.ts";
import { OriginTally } from "../../../src/kcov/origin_tally.ts";
import { CallSplitter } from "../../../src/kcov/split_calls.ts";
import { systemCallName } from "../../../src/kcov/system_calls.ts";
import { runningCallEntries } from "../../../src/kernel/entry_functions.ts";
import { runningKernel } from "../../../src/kernel/running_kernel.ts";
import { kernelFunctions } from "../../_support/kernel_symbols.ts";
import { compiled, run, SLOW } from "./program.ts";

const program = compiled("traced_calls");
const folder = mkdtempSync(join(tmpdir(), "kernelcov-traced-"));
after(() => rmSync(folder, { recursive: true }));

/** Runs differ by chance: the clock ticks within a write, a slab is filled, random numbers run out. */
const RUNS = 3;

function halvesOf(path: string): Uint32Array {
  const bytes = readFileSync(path);
  return new Uint32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

function add(calls: Map<string, Set<number>>, origin: number, pcs: Iterable<number>): void {
  const name = systemCallName("x86_64", origin & KCOV_CALL_MASK);
  const known = calls.get(name);
  if (known === undefined) calls.set(name, new Set(pcs));
  else for (const pc of pcs) known.add(pc);
}

/** What a collector stored of each call of the process's own, added to `truth`. */
function addCollected(truth: Map<string, Set<number>>, entries: Uint32Array): void {
  const tally = new OriginTally();
  tally.add(entries, 0, entries.length / 2);
  const { pcs, origins } = tally.points();
  for (const { origin, points } of origins) {
    const how = origin >>> KCOV_HOW_SHIFT;
    if (how !== KCOV_HOW.own && how !== KCOV_HOW.taskWork) continue;
    add(truth, origin, Array.from(points, (point) => pcs[point]));
  }
}

/** The points of each call of a trace, and how many are of none. */
function splitTrace(trace: Uint32Array): { found: Map<string, Set<number>>; uncertain: number } {
  const symbols = runningCallEntries(runningKernel());
  assert.ok(symbols !== undefined, "the kernel was booted with its image at hand");
  const split = new CallSplitter(symbols).decode(trace, 0, trace.length / 2);
  const found = new Map<string, Set<number>>();
  let uncertain = 0;
  for (const { origin, points } of split.origins!) {
    if ((origin & KCOV_CALL_MASK) === KCOV_CALL.none) uncertain += points.length;
    else add(found, origin, Array.from(points, (point) => split.pcs[point]));
  }
  return { found, uncertain };
}

test(
  "a trace is split into calls as a collector has them, and what is uncertain is of none",
  SLOW,
  () => {
    const truth = new Map<string, Set<number>>();
    const traces = Array.from({ length: RUNS }, () => {
      const [collected, traced] = ["collected", "traced"].map((name) => join(folder, name));
      run(program, mkdtempSync(join(folder, "run-")), collected, traced);
      addCollected(truth, halvesOf(collected));
      return splitTrace(halvesOf(traced));
    });
    const wrong = traces.map(({ found, uncertain }) => {
      for (
        const name of ["mkdir", "sendto", "newfstatat", "kill", "signal delivery", "rt_sigreturn"]
      ) {
        assert.ok(found.has(name), name);
      }
      const certain = [...found.values()].reduce((sum, own) => sum + own.size, 0);
      assert.ok(uncertain < certain / 5, `${uncertain} of ${certain} points are uncertain`);
      return new Set(
        [...found].flatMap(([name, own]) =>
          [...own].filter((pc) => !truth.get(name)?.has(pc)).map((pc) => `${name} ${pc}`)
        ),
      );
    });
    const [first, ...others] = wrong;
    const always = [...first].filter((each) => others.every((other) => other.has(each)));
    assert.deepEqual(
      always.map((each) => [each, ...kernelFunctions([Number(each.split(" ").at(-1))])]),
      [],
    );
  },
);
