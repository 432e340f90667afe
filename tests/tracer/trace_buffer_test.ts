import assert from "node:assert/strict";
import { test } from "node:test";
import { PointTable } from "../../src/tracer/ledger/point_table.ts";
import { PointTally } from "../../src/tracer/ledger/point_tally.ts";
import { TraceBuffer } from "../../src/tracer/ledger/trace_buffer.ts";

const WORDS = 1024;
const BITMAP = WORDS / 8;

/** The kernel's side of a buffer. */
class Kernel {
  readonly words = new BigUint64Array(WORDS);
  readonly buffer: TraceBuffer;
  readonly #before: number;

  constructor(mode: "trace" | "unique", concurrent = false) {
    this.#before = mode === "unique" ? BITMAP : 0;
    const memory = { buffer: this.words.buffer, [Symbol.dispose]() {} };
    this.buffer = new TraceBuffer(-1, memory, mode, concurrent);
  }

  /** Counts an entry, as the first half of `__sanitizer_cov_trace_pc`. */
  count(): number {
    return Number(++this.words[this.#before]);
  }

  write(entry: number, pc: number): void {
    this.words[this.#before + entry] = BigInt.asUintN(64, BigInt(pc));
  }

  run(...pcs: number[]): void {
    for (const pc of pcs) this.write(this.count(), pc);
  }
}

function drained(kernel: Kernel, table = new PointTable()): { pcs: number[]; full: boolean } {
  const pcs: number[] = [];
  const full = kernel.buffer.drain(table, (points, length) => {
    for (const point of points.subarray(0, length)) pcs.push(table.address(point));
  });
  return { pcs, full };
}

test("draining hands over every entry in order, once", () => {
  for (const mode of ["trace", "unique"] as const) {
    const kernel = new Kernel(mode);
    kernel.run(0x60001000, -0x7eff_ffff, 0x60001000);
    assert.deepEqual(drained(kernel), {
      pcs: [0x60001000, -0x7eff_ffff, 0x60001000],
      full: false,
    });
    assert.deepEqual(drained(kernel).pcs, []);
    kernel.run(5);
    assert.deepEqual(drained(kernel).pcs, [5]);
  }
});

test("an entry that is counted but not yet written is read by the next drain", () => {
  const kernel = new Kernel("trace");
  kernel.run(1, 2);
  const entry = kernel.count();
  assert.deepEqual(drained(kernel).pcs, [1, 2]);
  kernel.write(entry, 3);
  assert.deepEqual(drained(kernel).pcs, [3]);
  assert.deepEqual(drained(kernel).pcs, []);
});

test("a buffer that was filled says so", () => {
  const kernel = new Kernel("trace");
  kernel.run(...Array.from({ length: WORDS - 1 }, (_, index) => index + 1));
  const { pcs, full } = drained(kernel);
  assert.equal(pcs.length, WORDS - 1);
  assert.equal(full, true);
});

test("the bitmap stays at a drain, and goes when the points are to be recorded anew", () => {
  const kernel = new Kernel("unique");
  kernel.words[3] = 9n;
  kernel.run(1);
  drained(kernel);
  assert.equal(kernel.words[3], 9n);
  kernel.buffer.resetSeen();
  assert.equal(kernel.words[3], 0n);
});

test("bits that the kernel wrote back from before the bitmap was cleared are told as a loss", () => {
  const kernel = new Kernel("unique", true);
  kernel.run(1, 2);
  kernel.words[0] = 0b11n;
  drained(kernel);
  assert.equal(kernel.buffer.resetSeen(), false);
  kernel.run(3);
  kernel.words[0] = 0b111n;
  drained(kernel);
  assert.equal(kernel.buffer.resetSeen(), true);
  kernel.run(1);
  kernel.words[0] = 0b1n;
  drained(kernel);
  assert.equal(kernel.buffer.resetSeen(), false);
});

test("an entry that waits while the bitmap is cleared is no loss, and hides none", () => {
  const kernel = new Kernel("unique", true);
  kernel.run(1);
  drained(kernel);
  kernel.run(2);
  kernel.words[0] = 0b11n;
  assert.equal(kernel.buffer.resetSeen(), false);
  kernel.run(3);
  kernel.words[0] = 0b110n;
  drained(kernel);
  assert.equal(kernel.buffer.resetSeen(), true);
});

test("a cleared buffer holds nothing of the task before", () => {
  for (const mode of ["trace", "unique"] as const) {
    const kernel = new Kernel(mode);
    kernel.run(1, 2, 3);
    kernel.words[0] ||= 1n;
    kernel.buffer.clear();
    assert.ok(kernel.words.every((word) => word === 0n));
  }
});

test("a tally counts each PC, sorted, for more PCs than a table first holds", () => {
  const table = new PointTable();
  const tally = new PointTally(table);
  const halves = new Uint32Array(2 * 40_000);
  for (let index = 0; index < 40_000; index++) halves[index * 2] = 40_000 - index;
  const points = new Uint32Array(40_000);
  for (let round = 0; round < 2; round++) {
    tally.add(points, table.numbers(halves, 0, 40_000, points));
  }
  const { pcs, hits } = tally.points();
  assert.deepEqual([...pcs], Array.from({ length: 40_000 }, (_, index) => index + 1));
  assert.ok(hits.every((count) => count === 2));
});

test("a tally's memory is clean for the next", () => {
  const table = new PointTable();
  const points = new Uint32Array(1);
  const first = new PointTally(table);
  first.add(points, table.numbers(Uint32Array.of(7, 0), 0, 1, points));
  first.release();
  assert.equal(new PointTally(table).size, 0);
});

test("a buffer that was more than half full between two drains is crowded until it is cleared", () => {
  const kernel = new Kernel("trace");
  kernel.run(...Array.from({ length: WORDS / 4 }, (_, index) => index + 1));
  drained(kernel);
  assert.equal(kernel.buffer.crowded, false);
  kernel.run(...Array.from({ length: WORDS / 2 + 1 }, (_, index) => index + 1));
  drained(kernel);
  assert.equal(kernel.buffer.crowded, true);
  kernel.buffer.clear();
  assert.equal(kernel.buffer.crowded, false);
});
