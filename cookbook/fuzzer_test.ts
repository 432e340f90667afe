// A fuzzer that is led by coverage: what reaches new points of the kernel is kept, and changed further. What it feeds is the
// parser of lists such as "1-5,9" behind a file of /proc. Needs root.
import assert from "node:assert/strict";
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { after, test } from "node:test";
import { type KernelCoverage, withKernelCoverage } from "kernelcov";

const FILE = "/proc/sys/net/ipv4/ip_local_reserved_ports";
const ALPHABET = "0123456789,- \nx";
const TRIES = 400;
const before = readFileSync(FILE, "utf8");
after(() => writeFileSync(FILE, before));

/** Numbers below `limit`, the same ones in each run: a fuzzer's finding has to come again. */
function numbers(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * limit);
  };
}

/** Removes, changes, adds or repeats a part of a text. */
function changed(text: string, below: (limit: number) => number): string {
  const at = below(text.length + 1), letter = ALPHABET[below(ALPHABET.length)]!;
  switch (below(4)) {
    case 0:
      return text.slice(0, at) + text.slice(at + 1);
    case 1:
      return text.slice(0, at) + letter + text.slice(at + 1);
    case 2:
      return text.slice(0, at) + letter + text.slice(at);
    default:
      return `${text},${text}`.slice(0, 200);
  }
}

function feed(text: string): void {
  const file = openSync(FILE, "w");
  try {
    writeSync(file, text);
  } catch {
    // The kernel refuses most inputs.
  } finally {
    closeSync(file);
  }
}

/** The inputs that reached something new, the first one first. */
function fuzz(cov: KernelCoverage, seed: number): string[] {
  const below = numbers(seed);
  const kept = ["1"];
  feed(kept[0]!);
  let points = cov.pcs().length;
  for (let i = 0; i < TRIES; i++) {
    const input = changed(kept[below(kept.length)]!, below);
    feed(input);
    const now = cov.pcs().length;
    if (now > points) kept.push(input);
    points = now;
  }
  return kept;
}

test(
  "a fuzzer finds its way into the parser",
  withKernelCoverage((cov) => {
    if (!cov.available) return;
    const kept = fuzz(cov, 1);
    assert.ok(kept.length > 2, JSON.stringify(kept));
    // A range of ports sets bits of a bitmap, which a single "1" does not do that way.
    assert.ok(cov.reached("proc_do_large_bitmap"));
    assert.ok(kept.some((input) => /\d-\d|,/.test(input)), JSON.stringify(kept));
  }),
);
