import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { parseAddress } from "../../src/base/address.ts";
import { kernelFunctions } from "../_support/kernel_symbols.ts";
import { plainEnvironment, recordNamed, superviseHere } from "../_support/supervised.ts";

const SLOW = { timeout: 300_000 };
const WORDS = 65_536;
const ENTRIES = 50_000_000;
/** Rounds of a short run, for each thread. */
const SHORT = 20;

// A tmpfs: an overlay looks its inodes up in a hash, and whether a chain holds another one changes while tests run.
const folder = mkdtempSync("/dev/shm/kernelcov-loss-");
after(() => rmSync(folder, { recursive: true }));
const program = join(folder, "call_loop");
const source = fileURLToPath(new URL("./fixtures/call_loop.c", import.meta.url));
execFileSync("gcc", ["-O2", "-pthread", "-o", program, source]);

/** What the program records of itself with buffers that hold everything: distinct PCs, and how many entries. */
function recordedByItself(rounds: number, threads: number): { pcs: Set<number>; entries: number } {
  const output = execFileSync(program, ["kcov", String(rounds * threads), String(threads)], {
    cwd: folder,
    env: plainEnvironment(),
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  const [entries, ...pcs] = output.trim().split("\n");
  return { pcs: new Set(pcs.map((line) => parseAddress(line) ?? NaN)), entries: Number(entries) };
}

/**
 * The loop's own PCs: those of every short run, since a slab's constructor or a timer's tick is in one and not the
 * other, without those of a run with no loop.
 */
function loopPoints(threads: number, rounds = SHORT): Set<number> {
  const none = recordedByItself(0, threads).pcs;
  const [first, ...others] = [1, 2, 3].map(() => recordedByItself(rounds, threads).pcs);
  return new Set([...first].filter((pc) => !none.has(pc) && others.every((pcs) => pcs.has(pc))));
}

function less(from: Set<number>, ...others: Set<number>[]): Set<number> {
  return new Set([...from].filter((pc) => !others.some((other) => other.has(pc))));
}

/** The loop's PCs, and those of a test with no loop, as the supervisor recorded them. */
function supervised(rounds: number, threads: number, mode: "unique" | "trace") {
  const { status, stderr, records } = superviseHere([
    program,
    "tests",
    String(rounds),
    String(threads),
  ], {
    cwd: folder,
    mode,
    words: WORDS,
  });
  assert.equal(status, 0, stderr);
  const loop = recordNamed(records, "loop");
  return {
    loop: new Set(loop.pcs),
    empty: new Set(recordNamed(records, "empty").pcs),
    truncated: loop.truncated,
    tree: loop.tree,
  };
}

const perRound = (recordedByItself(SHORT, 1).entries - recordedByItself(0, 1).entries) / SHORT;
const rounds = Math.ceil(ENTRIES / perRound);

for (const threads of [1, 16]) {
  for (const run of [1, 2, 3]) {
    test(
      `a small buffer of distinct points loses none of ${threads} threads, run ${run}`,
      SLOW,
      (t) => {
        const before = loopPoints(threads);
        const { loop, empty, truncated, tree } = supervised(rounds, threads, "unique");
        // What the kernel no longer runs after the long run, it may have stopped running before it.
        const still = recordedByItself(SHORT, threads).pcs;
        const expected = new Set([...before].filter((pc) => still.has(pc)));
        assert.ok(expected.size > 500, `${expected.size} points`);
        assert.equal(truncated, false);
        assert.deepEqual(tree?.refused, []);
        assert.equal(tree?.tasks, threads === 1 ? 1 : threads + 1);
        // Chains of hashes, batches of pages and caches depend on what else the kernel holds: a function that one long
        // run has no cause to enter is listed, and has to be in the next. A recorder's loss would be in both.
        let missing = less(expected, loop);
        assert.ok(missing.size * 50 < expected.size, `${[...kernelFunctions([...missing])]}`);
        if (missing.size > 0) {
          t.diagnostic(`not in this run: ${[...kernelFunctions([...missing])].join(" ")}`);
          missing = less(missing, supervised(rounds, threads, "unique").loop);
        }
        assert.deepEqual([...kernelFunctions([...missing])], []);
        // What a long run adds: branches that are taken rarely. For people to read.
        const more = less(loop, expected, empty);
        t.diagnostic(`${more.size} more points, in ${[...kernelFunctions([...more])].join(" ")}`);
      },
    );
  }
}

/**
 * The random generator makes a new batch of numbers every so many calls, and new pages go to the lists of pages in
 * batches (`folio_batch_add_and_move` in mm/swap.c), wherever a run begins.
 */
const BATCHES = /^(chacha|crng|_?get_random|lru_add|folio_batch_move_lru|folio_mapping)/;

test("a small buffer of all entries has the same set or says that it was full", SLOW, () => {
  const fitting = Math.floor(WORDS / 2 / perRound);
  for (const count of [fitting, rounds]) {
    const { loop, truncated } = supervised(count, 1, "trace");
    const missing = kernelFunctions([...less(loopPoints(1, fitting), loop)]);
    assert.ok(truncated || [...missing].every((name) => BATCHES.test(name)), `${[...missing]}`);
    assert.equal(truncated, count === rounds);
  }
});
