import assert from "node:assert/strict";
import { test } from "node:test";
import { CoverageAnswers, type Question } from "../../src/assertions/coverage_answers.ts";
import { OriginAnswers } from "../../src/assertions/origin_answers.ts";
import type { Symbolizer } from "../../src/assertions/symbolizer.ts";
import { ComparisonTally } from "../../src/kcov/comparisons/comparison_tally.ts";
import { REMOTE_ORIGIN } from "../../src/kcov/remote/join_remote.ts";
import type { DecodedPcs } from "../../src/kcov/decode_pcs.ts";
import { KCOV_CALL, KCOV_HOW, KCOV_HOW_SHIFT, type OriginPoints } from "../../src/kcov/origin.ts";
import { callsNamed } from "../../src/kcov/system_calls.ts";

/** By PC, the function that it is in. */
const FUNCTIONS = new Map([
  [1, "ksys_write"],
  [2, "udp_rcv"],
  [3, "futex_wake"],
  [4, "filemap_fault"],
  [5, "read_tsc"],
]);

const SYMBOLIZER: Symbolizer = Object.assign(new OriginAnswers("x86_64"), {
  functionsOf: (pc: number) => [FUNCTIONS.get(pc)!],
  linesOf: (pc: number) => [{ file: "fs/x.c", line: pc }],
  framesOf: (pcs: Iterable<number>) =>
    new Map([...pcs].map((pc) => [pc, [{ function: "x_ioctl", file: "fs/x.c", line: pc }]])),
  checkFunction() {},
  checkFile() {},
});

/** Coverage of a test of which `points` ran. */
class MadeUpCoverage extends CoverageAnswers {
  readonly #points: DecodedPcs;
  readonly #hasHits: boolean;
  readonly #threadsShared: boolean;

  constructor(points: DecodedPcs, hasHits: boolean, threadsShared = false) {
    super();
    this.#points = points;
    this.#hasHits = hasHits;
    this.#threadsShared = threadsShared;
  }

  get hasHits(): boolean {
    return this.#hasHits;
  }

  override get threadsShared(): boolean {
    return this.#threadsShared;
  }

  pcs(): Float64Array<ArrayBuffer> {
    return this.#points.pcs;
  }

  ask<Answer>(question: Question<Answer>): Answer {
    return question(SYMBOLIZER, this.#points);
  }
}

function origin(how: keyof typeof KCOV_HOW, call: number | string): number {
  const number = typeof call === "number" ? call : callsNamed("x86_64", call)[0];
  return KCOV_HOW[how] << KCOV_HOW_SHIFT | number;
}

function ran(from: number, points: Readonly<Record<number, number>>): OriginPoints {
  return {
    origin: from,
    points: Uint32Array.from(Object.keys(points), (pc) => Number(pc) - 1),
    hits: Uint32Array.from(Object.values(points)),
  };
}

const ORIGINS = [
  ran(origin("own", "sendto"), { 1: 3, 5: 1 }),
  ran(origin("own", KCOV_CALL.codeFault), { 4: 2, 5: 1 }),
  ran(origin("net", "sendto"), { 2: 4 }),
  ran(origin("thread", "futex"), { 3: 5, 1: 1 }),
  ran(origin("thread", "read"), { 5: 7 }),
];
const PCS = Float64Array.of(1, 2, 3, 4, 5);
const TREE = {
  pcs: PCS,
  hits: new Uint32Array(0),
  origins: ORIGINS.map(({ origin, points }) => ({ origin, points })),
};
const COUNTED = { pcs: PCS, hits: Uint32Array.of(4, 4, 5, 2, 9), origins: ORIGINS };

test("questions are about what the test caused, or about the origin that they name", () => {
  for (const coverage of [new MadeUpCoverage(TREE, false), new MadeUpCoverage(COUNTED, true)]) {
    assert.deepEqual(coverage.functions(), ["ksys_write", "read_tsc", "udp_rcv"]);
    assert.deepEqual(coverage.functions({ origin: "own" }), ["ksys_write", "read_tsc"]);
    assert.deepEqual(coverage.functions({ origin: "call:read" }), ["read_tsc"]);
    assert.deepEqual(coverage.lines("fs/x.c"), [1, 2, 5]);
    assert.deepEqual(coverage.lines("fs/x.c", { origin: "call:sendto" }), [1, 2, 5]);
    assert.equal(coverage.reached("futex_wake"), false);
    assert.deepEqual([...coverage.pcs()], [...PCS]);
  }
  const tree = new MadeUpCoverage(TREE, false);
  assert.deepEqual(tree.functions({ origin: "behalf" }), ["udp_rcv"]);
  assert.deepEqual(tree.functions({ origin: "runtime" }), ["futex_wake", "ksys_write"]);
  assert.deepEqual(tree.functions({ origin: "faults" }), ["filemap_fault", "read_tsc"]);
  assert.equal(tree.reached("futex_wake", { origin: "runtime" }), true);
});

test("hits are those from the origins that count, where hits are known", () => {
  const coverage = new MadeUpCoverage(COUNTED, true);
  assert.equal(coverage.hits("ksys_write"), 3);
  assert.equal(coverage.hits("read_tsc"), 8);
  assert.equal(coverage.hits("read_tsc", { origin: "call:sendto" }), 1);
  assert.equal(coverage.hits("udp_rcv", { origin: "own" }), 0);
  const tree = new MadeUpCoverage(TREE, false);
  assert.throws(() => tree.hits("ksys_write", { origin: "own" }), {
    name: "TypeError",
    message: /in tree scope each point is known once/,
  });
});

test("a trace of one thread is not asked for what it cannot tell", () => {
  const coverage = new MadeUpCoverage(COUNTED, true);
  for (const origin of ["behalf", "runtime", "faults"] as const) {
    for (
      const ask of [
        () => coverage.reached("udp_rcv", { origin }),
        () => coverage.hits("udp_rcv", { origin }),
        () => coverage.calls({ origin }),
      ]
    ) {
      assert.throws(ask, { name: "TypeError", message: /in thread scope only the system calls/ });
    }
  }
});

test("calls come in the order of first runs, with what they led to", () => {
  for (const coverage of [new MadeUpCoverage(TREE, false), new MadeUpCoverage(COUNTED, true)]) {
    assert.deepEqual(coverage.calls(), [
      { name: "sendto", functions: ["ksys_write", "read_tsc", "udp_rcv"], points: 3 },
      { name: "read", functions: ["read_tsc"], points: 1 },
    ]);
  }
  const tree = new MadeUpCoverage(TREE, false);
  assert.deepEqual(tree.calls({ origin: "behalf" }), [
    { name: "sendto", functions: ["udp_rcv"], points: 1 },
  ]);
  assert.deepEqual(tree.calls({ origin: "faults" }).map(({ name }) => name), [
    "page fault of code loading",
  ]);
});

test("what threads ran that other tests shared is not the test's", () => {
  const coverage = new MadeUpCoverage(TREE, false, true);
  assert.deepEqual(coverage.calls().map(({ name }) => name), ["sendto"]);
});

test("where origins are not known, questions are about all, and those about origins refused", () => {
  const { origins: _, ...unknown } = TREE;
  // Hits that are not told apart by origin would be too many.
  const untold = { ...COUNTED, origins: TREE.origins };
  for (
    const coverage of [new MadeUpCoverage(unknown, false), new MadeUpCoverage(untold, true)]
  ) {
    assert.equal(coverage.functions().length, 5);
    for (
      const ask of [
        () => coverage.calls(),
        () => coverage.reached("udp_rcv", { origin: "call:sendto" }),
        () => coverage.functions({ origin: "own" }),
        () => coverage.lines("fs/x.c", { origin: "own" }),
      ]
    ) {
      assert.throws(ask, {
        name: "TypeError",
        message: /^Cannot tell which system calls ran what/,
      });
    }
  }
});

test("an origin that is none is refused with the nearest names", () => {
  const coverage = new MadeUpCoverage(TREE, false);
  assert.throws(() => coverage.functions({ origin: "onw" as "own" }), {
    name: "TypeError",
    message: 'Unknown origin "onw": did you mean own?',
  });
  assert.throws(() => coverage.functions({ origin: "call:snedto" }), {
    name: "TypeError",
    message: /^There is no system call snedto on x86_64: did you mean sendto/,
  });
});

test("in thread scope what ran on behalf is known of remote coverage alone", () => {
  const own = { origin: 0, points: Uint32Array.of(0), hits: Uint32Array.of(1) };
  const remote = { origin: REMOTE_ORIGIN, points: Uint32Array.of(1), hits: Uint32Array.of(1) };
  const points = { pcs: Float64Array.of(1, 2), hits: Uint32Array.of(1, 1) };
  const without = new MadeUpCoverage({ ...points, origins: [own] }, true);
  assert.throws(() => without.functions({ origin: "behalf" }), /or with remote coverage/);
  const with_ = new MadeUpCoverage({ ...points, origins: [own, remote] }, true);
  assert.deepEqual(with_.functions({ origin: "behalf" }), [FUNCTIONS.get(2)]);
  assert.throws(() => with_.functions({ origin: "runtime" }), TypeError);
});

test("comparisons are told by line, with the call; questions about points are refused then", () => {
  const tally = new ComparisonTally();
  const words = new BigUint64Array([1n, 5n | 1n << 16n, 0x53n, 0n, 40n]);
  tally.addTrace(new Uint32Array(words.buffer), 0, 1, true);
  const none = { pcs: new Float64Array(0), hits: new Uint32Array(0) };
  const coverage = new MadeUpCoverage({ ...none, comparisons: tally.take() }, true);
  assert.deepEqual(coverage.comparisons("fs/x.c:40"), [{
    ...{ file: "fs/x.c", line: 40, function: "x_ioctl", size: 4, constant: 0x53n },
    ...{ times: 1, equal: 0, more: 0 },
    pairs: [{ first: 0x53n, second: 0n, times: 1, call: "write" }],
  }]);
  assert.equal(coverage.comparisons().length, 1);
  assert.deepEqual(coverage.comparisons("x_open"), []);
  assert.throws(() => coverage.reached("x_ioctl"), /comparisons are recorded in its place/);
  assert.throws(() => new MadeUpCoverage(none, true).comparisons(), /--mode cmp/);
});
