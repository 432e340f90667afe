import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type ComparedFrame,
  comparedPlaces,
  isComparedAt,
} from "../../../src/coverage/comparisons/compared_places.ts";
import { selectPairs } from "../../../src/coverage/comparisons/select_pairs.ts";
import { operandHints } from "../../../src/coverage/comparisons/operand_hints.ts";
import type { Comparisons } from "../../../src/kcov/comparisons/comparisons.ts";
import { comparisonsJson } from "../../../src/report/comparisons/comparisons_json.ts";
import { comparisonsText } from "../../../src/report/comparisons/comparisons_text.ts";
import { PLAIN_STYLE } from "../../../src/report/text_style.ts";

const OPEN = 257, READ = 0;

/** A byte that is never 0x53, two values, a switch, and one in no image. */
const COMPARISONS: Comparisons = {
  pcs: Float64Array.of(100, 200, 300, 300, 300, 400),
  types: Uint8Array.of(1, 6, 5, 5, 5, 3),
  more: Uint32Array.of(0, 7, 0, 0, 0, 0),
  pairEnd: Uint32Array.of(1, 3, 4, 6, 7, 8),
  first: BigUint64Array.of(0x53n, 5n, 9n, 1n, 2n, 2n, 3n, 8n),
  second: BigUint64Array.of(0n, 6n, 9n, 2n, 2n, 7n, 2n, 8n),
  times: Uint32Array.of(14, 3, 2, 4, 4, 1, 4, 1),
  origins: Uint16Array.of(READ, OPEN, OPEN, READ, READ, READ, READ, READ),
  lost: 0,
};
const FRAMES = new Map<number, ComparedFrame[]>([
  [100, [{ function: "check_magic", file: "fs/x.c", line: 30 }]],
  [200, [
    { function: "inner", file: "include/x.h", line: 3 },
    { function: "outer", file: "fs/x.c", line: 12 },
  ]],
  [300, [{ function: "x_ioctl", file: "fs/x.c", line: 40 }]],
]);

const places = comparedPlaces(COMPARISONS, FRAMES);
const answer = {
  ...{ label: "a test", places, lost: 2, truncated: true, leftOut: 1 },
  callOf: (call: number) => call === READ ? "read" : call === OPEN ? "openat" : undefined,
};

test("comparisons are by file and line, those in no image last, with what each met", () => {
  assert.deepEqual(places.map(({ pc }) => pc), [100, 300, 300, 300, 200, 400]);
  const [magic] = places;
  assert.deepEqual(
    [magic.size, magic.constant, magic.times, magic.equal, magic.isCase],
    [1, 0x53n, 14, 0, false],
  );
  assert.deepEqual(places.slice(1, 4).map(({ isCase }) => isCase), [true, true, true]);
  const values = places[4];
  assert.deepEqual(
    [values.constant, values.times, values.equal, values.more],
    [undefined, 12, 2, 7],
  );
});

test("a place is a line, a file or a function, of inlined code also where it is called", () => {
  const at = (place: string): number[] => places.filter(isComparedAt(place)).map(({ pc }) => pc);
  assert.deepEqual(at("fs/x.c:30"), [100]);
  assert.deepEqual(at("x.c:12"), [200]);
  assert.deepEqual(at("include/x.h"), [200]);
  assert.deepEqual(at("outer"), [200]);
  assert.deepEqual(at("x_ioctl"), [300, 300, 300]);
  assert.deepEqual(at("fs/x.c:31"), []);
});

test("the text says what was compared with what, and which comparison was never satisfied", () => {
  const text = comparisonsText(answer, PLAIN_STYLE);
  assert.equal(
    text,
    [
      "a test: 6 comparisons, of which 3 never met equal operands",
      "2 more found no room",
      "left out: 1 comparison whose origins do not count: --include runtime,faults counts more",
      "The buffer was full, so more were made: set KERNELCOV_WORDS",
      "fs/x.c:30 check_magic",
      '  with 0x53 "S", 1 byte: 14 times, never equal: always 0x0',
      "fs/x.c:40 x_ioctl",
      "  switch, 4 bytes: 4 times",
      "    taken: 0x2 ×4",
      "    never: 0x1, 0x3",
      "include/x.h:3 inner",
      "  values, 8 bytes, in outer: 12 times, equal at least 2: 0x5 with 0x6 ×3, and 7 times pairs that are not kept",
      "0x190 (in no known image)",
      "  with 0x8, 2 bytes: 1 time, always equal",
      "",
    ].join("\n"),
  );
});

test("hints are by call: of a constant the value can be replaced, else each operand", () => {
  const hints = operandHints(places);
  assert.deepEqual(hints.get(READ)!.get(0n), new Set([0x53n]));
  assert.deepEqual(hints.get(READ)!.get(0x53n), undefined);
  assert.deepEqual(hints.get(OPEN)!.get(5n), new Set([6n]));
  assert.deepEqual(hints.get(OPEN)!.get(6n), new Set([5n]));
  assert.equal(hints.get(OPEN)!.has(9n), false);
  const json = comparisonsJson(answer) as {
    calls: { call: string; hints: Record<string, string[]> }[];
    comparisons: { constant?: string; pairs: { call: string; second: string }[] }[];
  };
  assert.deepEqual(json.calls.map(({ call }) => call), ["read", "openat"]);
  assert.deepEqual(json.calls[0].hints["0x0"], ["0x53"]);
  assert.deepEqual(json.comparisons[0].constant, "0x53");
  assert.deepEqual(json.comparisons[0].pairs[0].call, "read");
});

test("pairs whose origin does not count are left out, and comparisons that have no other", () => {
  const selected = selectPairs(COMPARISONS, (origin) => origin === OPEN);
  assert.deepEqual([...selected.pcs], [200]);
  assert.deepEqual([...selected.pairEnd], [2]);
  assert.deepEqual([...selected.second], [6n, 9n]);
  assert.deepEqual([...selected.more], [7]);
  assert.deepEqual(selectPairs(COMPARISONS, () => true), COMPARISONS);
  assert.equal(selectPairs(COMPARISONS, () => false).pcs.length, 0);
});
