import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { withKernelCoverage } from "kernelcov";
import { parseAddress } from "../../src/base/address.ts";
import { KCOV_DISABLE } from "../../src/kcov/abi.ts";
import { KcovDevice } from "../../src/kcov/kcov_device.ts";
import { loadLibc } from "../../src/sys/load.ts";
import { PointTable } from "../../src/tracer/ledger/point_table.ts";
import { TraceBufferPool } from "../../src/tracer/ledger/trace_buffer_pool.ts";
import { timeLimit } from "../_support/limits/time_limit.ts";

// These tests must fail where coverage is missing, not pass without it.
process.env.KERNELCOV = "require";
const runFolder = mkdtempSync(join(tmpdir(), "kernelcov-run-"));
process.env.KERNELCOV_RUN = runFolder;
after(() => {
  delete process.env.KERNELCOV;
  delete process.env.KERNELCOV_RUN;
  rmSync(runFolder, { recursive: true });
});

const ROUNDS = 50;
// gcc takes its time in a user-mode kernel.
const SLOW = { timeout: timeLimit(60_000) };
const SOURCE = fileURLToPath(new URL("../data/kcov_read.c", import.meta.url));

/** What each round of the C program recorded. */
function roundsInC(): number[][] {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-c-"));
  try {
    const program = join(folder, "kcov_read");
    execFileSync("gcc", ["-O1", "-Wall", "-Werror", "-pthread", "-o", program, SOURCE]);
    const lines = execFileSync(program, [`${ROUNDS}`], { encoding: "utf8" }).trimEnd().split("\n");
    assert.equal(lines.length, ROUNDS);
    return lines.map((line) => line.split(" ").map((text) => parseAddress(text)!));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What most rounds recorded, as distinct PCs: a round in which a fault or a signal came between holds more. */
function usual(rounds: readonly (readonly number[])[]): { pcs: number[]; rounds: number } {
  const times = new Map<string, number>();
  for (const round of rounds) {
    const key = [...new Set(round)].sort((first, second) => first - second).join(" ");
    times.set(key, (times.get(key) ?? 0) + 1);
  }
  const [key, most] = [...times].sort(([, first], [, second]) => second - first)[0];
  return { pcs: key.split(" ").map(Number), rounds: most };
}

test("read(-1, NULL, 0) through the hook records the PCs of the same call in C", SLOW, () => {
  const libc = loadLibc();
  const inHook: number[][] = [];
  const covered = withKernelCoverage((cov) => {
    libc.read(-1, null, 0n);
    return cov;
  }, { name: "read(-1, NULL, 0)" });
  for (let round = 0; round < ROUNDS; round++) inHook.push([...covered().pcs()]);

  const inC = usual(roundsInC());
  const ours = usual(inHook);
  assert.ok(inC.pcs.length >= 5, `${inC.pcs.length} points in C`);
  assert.ok(inC.rounds > ROUNDS / 2, `${inC.rounds} rounds in C agree`);
  assert.deepEqual(ours.pcs, inC.pcs);
  assert.ok(ours.rounds > ROUNDS / 2, `${ours.rounds} rounds in the hook agree`);
  for (const round of inHook) {
    // A round may hold more, but never lacks a point.
    for (const pc of inC.pcs) assert.ok(round.includes(pc));
  }
});

test("unique mode records the same PCs as trace mode, each once", () => {
  const libc = loadLibc();
  const table = new PointTable();
  const recorded = { trace: [] as number[][], unique: [] as number[][] };
  for (const mode of ["trace", "unique"] as const) {
    const pool = new TraceBufferPool(libc, { mode, words: 65_536 });
    const buffer = pool.take();
    for (let round = 0; round < ROUNDS; round++) {
      assert.equal(libc.ioctl(buffer.fd, ...buffer.enableRequest), 0);
      buffer.clear();
      libc.read(-1, null, 0n);
      libc.read(-1, null, 0n);
      const { count } = buffer;
      assert.equal(libc.ioctl(buffer.fd, KCOV_DISABLE, 0n), 0);
      const pcs: number[] = [];
      buffer.drain(table, (points, length) => {
        for (let at = 0; at < length; at++) pcs.push(table.address(points[at]));
      });
      // What the second request records comes behind.
      recorded[mode].push(pcs.slice(0, count));
    }
    pool.drop(buffer);
  }
  for (const pcs of recorded.unique) assert.equal(new Set(pcs).size, pcs.length);
  assert.deepEqual(usual(recorded.unique).pcs, usual(recorded.trace).pcs);
});

test("a second device on this thread is busy, by the real kernel's answer", () => {
  using first = KcovDevice.open({ words: 8192 });
  using second = KcovDevice.open({ words: 8192 });
  first.enable();
  assert.throws(() => second.enable(), /EBUSY/);
  first.disable();
  second.enable();
});

test("a buffer too small for what runs is full, and says so", () => {
  const libc = loadLibc();
  using device = KcovDevice.open({ words: 512 });
  device.enable();
  device.reset();
  for (let round = 0; round < 1000; round++) libc.read(-1, null, 0n);
  const count = device.count();
  device.disable();
  assert.equal(count, device.capacity);
});

test("the real kernel takes the sizes that are allowed and no others", () => {
  for (const words of [512, 1024, 524_288]) KcovDevice.open({ words }).close();
  assert.throws(() => KcovDevice.open({ words: 513 }), RangeError);
});
