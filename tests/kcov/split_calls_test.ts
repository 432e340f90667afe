import assert from "node:assert/strict";
import { test } from "node:test";
import { decodePcs } from "../../src/kcov/decode_pcs.ts";
import { KCOV_CALL } from "../../src/kcov/origin.ts";
import { CallSplitter } from "../../src/kcov/split_calls.ts";
import { wholeNumbers } from "../_support/origin_records.ts";

const BASE = -0x7f00_0000;
/** Functions of the made-up kernel, of 64 bytes each. */
const FUNCTIONS = 400;

/** Every tenth function begins a call. */
const ENTRIES = {
  start: Float64Array.from({ length: FUNCTIONS / 10 }, (_, at) => BASE + at * 640),
  end: Float64Array.from({ length: FUNCTIONS / 10 }, (_, at) => BASE + at * 640 + 64),
  origin: Uint16Array.from(
    { length: FUNCTIONS / 10 },
    (_, at) => at % 7 === 6 ? KCOV_CALL.none : at % 7,
  ),
};

/** The plain way: one PC after the other. */
function reference(trace: readonly number[]): Map<number, Map<number, number>> {
  const byOrigin = new Map<number, Map<number, number>>();
  let origin: number = KCOV_CALL.none;
  for (const pc of trace) {
    const at = ENTRIES.start.findIndex((start, i) => pc - 1 >= start && pc - 1 < ENTRIES.end[i]);
    if (at >= 0) origin = ENTRIES.origin[at];
    let counts = byOrigin.get(origin);
    if (counts === undefined) byOrigin.set(origin, counts = new Map());
    counts.set(pc, (counts.get(pc) ?? 0) + 1);
  }
  return byOrigin;
}

function buffer(trace: readonly number[]): Uint32Array {
  return new Uint32Array(BigInt64Array.from(trace, BigInt).buffer);
}

function madeUpTrace(seed: number, length: number): number[] {
  const below = wholeNumbers(seed);
  const trace: number[] = [];
  while (trace.length < length) {
    const first = below(FUNCTIONS * 8);
    for (let i = 0; i < 1 + below(30); i++) trace.push(BASE + (first + i) * 8 + 5);
  }
  return trace.slice(0, length);
}

function check(splitter: CallSplitter, trace: readonly number[], from = 0): void {
  const halves = buffer(trace);
  const { pcs, hits, origins = [] } = splitter.decode(halves, from, trace.length);
  const plain = decodePcs(halves, from, trace.length);
  assert.deepEqual([pcs, hits], [plain.pcs, plain.hits]);
  const expected = reference(trace.slice(from));
  assert.deepEqual(
    origins.map(({ origin }) => origin),
    [...expected.keys()],
    "in order of first runs",
  );
  for (const { origin, points, hits: own } of origins) {
    const counts = [...expected.get(origin)!].sort(([a], [b]) => a - b);
    assert.deepEqual(Array.from(points, (point) => pcs[point]), counts.map(([pc]) => pc));
    assert.deepEqual([...own!], counts.map(([, count]) => count));
  }
}

test("a trace is split where calls begin, and each point counted for each call that ran it", () => {
  const splitter = new CallSplitter(ENTRIES);
  for (let seed = 1; seed < 60; seed++) {
    check(splitter, madeUpTrace(seed, seed % 9 === 0 ? 0 : seed * 20), seed % 4);
  }
});

test("a long trace grows the table, and the next one has nothing of it", () => {
  const splitter = new CallSplitter(ENTRIES);
  check(splitter, madeUpTrace(99, 60_000));
  check(splitter, madeUpTrace(7, 50));
  // More than is kept.
  const many = Array.from({ length: 50_000 }, (_, at) => BASE + 0x10_0000 + at * 8);
  check(splitter, [BASE + 5, ...many, BASE + 645, ...many]);
  check(splitter, madeUpTrace(8, 50));
});

test("addresses that lie far apart are split too", () => {
  const splitter = new CallSplitter(ENTRIES);
  check(splitter, [
    0x6000_0010,
    BASE + 5,
    0x6000_0010,
    -(2 ** 51),
    BASE + 645,
    2 ** 40,
    0x6000_0010,
  ]);
});

test("what ran before the first call is of none, and a return address is of the function before it", () => {
  const splitter = new CallSplitter(ENTRIES);
  const [end] = ENTRIES.end;
  const { origins } = splitter.decode(buffer([BASE + 100, BASE, end, BASE + 100, end + 1]), 0, 5);
  assert.deepEqual(origins?.map(({ origin, hits }) => [origin, ...hits!]), [
    [KCOV_CALL.none, 1, 1],
    [0, 1, 1, 1],
  ]);
});

test("kernels without entries have one origin, of no call", () => {
  const none = new CallSplitter({
    start: new Float64Array(0),
    end: new Float64Array(0),
    origin: new Uint16Array(0),
  });
  const { origins } = none.decode(buffer([5, 6, 5]), 0, 3);
  assert.deepEqual(origins, [{
    origin: KCOV_CALL.none,
    points: Uint32Array.of(0, 1),
    hits: Uint32Array.of(2, 1),
  }]);
});
