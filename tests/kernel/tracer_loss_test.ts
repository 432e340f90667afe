import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { parseAddress } from "../../src/base/address.ts";
import { kernelFunctions } from "../_support/kernel_symbols.ts";
import { plainEnvironment, RECORDERS, recordNamed, superviseHere } from "../_support/supervised.ts";
import { timeLimit } from "../_support/limits/time_limit.ts";

const SLOW = { timeout: timeLimit(300_000) };
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

/** What the program records of itself with buffers that hold everything. */
interface OwnRecording {
  readonly entries: number;
  /** Each distinct PC with the number of rounds that ran it, of all threads. */
  readonly pcs: ReadonlyMap<number, number>;
}

function recordedByItself(rounds: number, threads: number): OwnRecording {
  const output = execFileSync(program, ["kcov", String(rounds * threads), String(threads)], {
    cwd: folder,
    env: plainEnvironment(),
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  const [entries, ...lines] = output.trim().split("\n");
  const pcs = new Map<number, number>();
  for (const line of lines) {
    const [pc, count] = line.split(" ");
    const address = parseAddress(pc) ?? NaN;
    pcs.set(address, (pcs.get(address) ?? 0) + Number(count));
  }
  return { entries: Number(entries), pcs };
}

/** The loop's own PCs, of short runs. */
interface LoopPoints {
  /** Those of each round of each run. */
  readonly always: ReadonlySet<number>;
  /** Those of each run, but not of each round. */
  readonly sometimes: ReadonlySet<number>;
}

/** Asks three short runs: a slab's constructor or a timer's tick is in one and not the other. */
function loopPoints(threads: number, rounds = SHORT): LoopPoints {
  const [first, ...others] = [1, 2, 3].map(() => recordedByItself(rounds, threads).pcs);
  const always = new Set<number>();
  const sometimes = new Set<number>();
  for (const [pc, count] of first) {
    const counts = [count, ...others.map((pcs) => pcs.get(pc) ?? 0)];
    if (counts.every((times) => times === rounds * threads)) always.add(pc);
    else if (counts.every((times) => times > 0)) sometimes.add(pc);
  }
  return { always, sometimes };
}

function less(from: ReadonlySet<number>, ...others: ReadonlySet<number>[]): Set<number> {
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

const perRound = recordedByItself(SHORT, 1).entries / SHORT;
const rounds = Math.ceil(ENTRIES / perRound);

for (const threads of [1, 16]) {
  // Of points that some rounds run, those that no long run had so far.
  let never: ReadonlySet<number> | undefined;
  for (const run of [1, 2, 3]) {
    test(
      `a small buffer of distinct points loses none of ${threads} threads, run ${run}`,
      SLOW,
      (t) => {
        const { always, sometimes } = loopPoints(threads);
        const { loop, empty, truncated, tree } = supervised(rounds, threads, "unique");
        assert.ok(always.size > 2000, `${always.size} points`);
        assert.equal(truncated, false);
        assert.deepEqual(tree?.refused, []);
        assert.equal(tree?.tasks, threads === 1 ? 1 : threads + 1);
        assert.deepEqual([...kernelFunctions([...less(always, loop)])], []);
        // Batches of pages, slow paths of allocators and waits for locks depend on what else the kernel does: a point
        // of some rounds that one long run has no cause to pass is listed for people, and has to be in another.
        const missing = less(sometimes, loop);
        t.diagnostic(`${missing.size} of ${sometimes.size} rare points are not in this run`);
        t.diagnostic(`they are in ${[...kernelFunctions([...missing])].join(" ")}`);
        never = never === undefined
          ? missing
          : new Set([...missing].filter((pc) => never?.has(pc)));
        if (run === 3) assert.deepEqual([...kernelFunctions([...never])], []);
        // What a long run adds: branches that are taken rarely.
        const more = less(loop, always, sometimes, empty);
        t.diagnostic(`${more.size} more points, in ${[...kernelFunctions([...more])].join(" ")}`);
      },
    );
  }
}

test("a small buffer of all entries has the same set or says that it was full", SLOW, () => {
  const fitting = Math.floor(WORDS / 2 / perRound);
  const { always } = loopPoints(1, fitting);
  const short = supervised(fitting, 1, "trace");
  assert.deepEqual([...kernelFunctions([...less(always, short.loop)])], []);
  assert.equal(short.truncated, false);
  const long = supervised(rounds, 1, "trace");
  assert.deepEqual([...kernelFunctions([...less(always, long.loop)])], []);
  assert.equal(long.truncated, true);
});

for (const threads of [1, 16]) {
  test(`a collector loses none of ${threads} threads`, {
    ...SLOW,
    skip: !RECORDERS.includes("collectors"),
  }, (t) => {
    const { always, sometimes } = loopPoints(threads);
    const command = [program, "loop", String(rounds), String(threads)];
    const run = superviseHere(command, { cwd: folder, record: true, collect: true });
    assert.equal(run.status, 0, run.stderr);
    const [{ pcs, truncated, tree }] = run.records;
    const found = new Set(pcs);
    assert.deepEqual([...kernelFunctions([...less(always, found)])], []);
    t.diagnostic(
      `${less(sometimes, found).size} of ${sometimes.size} rare points are not in this run`,
    );
    assert.equal(truncated, false);
    assert.equal(tree?.tasks, threads === 1 ? 1 : threads + 1);
  });
}
