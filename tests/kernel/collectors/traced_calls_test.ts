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

/** What may differ from one round to the next: random numbers run out, and memory is had from elsewhere. */
const VARIES = /chacha|crng|random|slab|kmem|alloc|mas_|init_once|inode_init|lru|skb|percpu|rstat/;

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

test(
  "a trace is split into calls as a collector has them, and what is uncertain is of none",
  SLOW,
  () => {
    const [collected, traced] = ["collected", "traced"].map((name) => join(folder, name));
    run(program, folder, collected, traced);
    const tally = new OriginTally();
    const entries = halvesOf(collected);
    tally.add(entries, 0, entries.length / 2);
    const { pcs, origins } = tally.points();
    const truth = new Map<string, Set<number>>();
    for (const { origin, points } of origins) {
      const how = origin >>> KCOV_HOW_SHIFT;
      if (how !== KCOV_HOW.own && how !== KCOV_HOW.taskWork) continue;
      add(truth, origin, Array.from(points, (point) => pcs[point]));
    }
    const symbols = runningCallEntries(runningKernel());
    assert.ok(symbols !== undefined, "the kernel was booted with its image at hand");
    const trace = halvesOf(traced);
    const split = new CallSplitter(symbols).decode(trace, 0, trace.length / 2);
    const found = new Map<string, Set<number>>();
    let uncertain = 0;
    for (const { origin, points } of split.origins!) {
      if ((origin & KCOV_CALL_MASK) === KCOV_CALL.none) uncertain += points.length;
      else add(found, origin, Array.from(points, (point) => split.pcs[point]));
    }
    for (
      const name of ["mkdir", "sendto", "newfstatat", "kill", "signal delivery", "rt_sigreturn"]
    ) {
      assert.ok(found.has(name), name);
    }
    let certain = 0;
    const wrong: string[] = [];
    for (const [name, own] of found) {
      certain += own.size;
      for (const pc of own) {
        if (truth.get(name)?.has(pc) === true) continue;
        const functions = [...kernelFunctions([pc])];
        if (!functions.some((each) => VARIES.test(each))) wrong.push(`${name}: ${functions}`);
      }
    }
    // Two runs of one program differ a little: another inode in a list of a hash, a number that is drawn for the first time.
    assert.ok(wrong.length <= certain / 500, `${wrong.length} of ${certain}: ${wrong.join("; ")}`);
    assert.ok(uncertain < certain / 5, `${uncertain} of ${certain} points are uncertain`);
  },
);
