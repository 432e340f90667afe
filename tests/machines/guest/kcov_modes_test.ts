import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { inGuest } from "../../_support/guest_run.ts";

const SOURCE = fileURLToPath(new URL("../../data/kcov_modes.c", import.meta.url));
const EBUSY = 16;
const EINVAL = 22;

let facts: Promise<Map<string, number>> | undefined;

/** What tests/data/kcov_modes.c, run once in the guest, found. */
function kcovFacts(): Promise<Map<string, number>> {
  facts ??= readFacts();
  return facts;
}

async function readFacts(): Promise<Map<string, number>> {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-modes-"));
  try {
    const program = join(folder, "kcov_modes");
    execFileSync("gcc", ["-O2", "-w", "-pthread", "-o", program, SOURCE]);
    const run = await inGuest([program]);
    assert.equal(run.exitStatus, 0, run.stderr);
    return new Map(
      run.stdout.trim().split("\n").map((line) => {
        const [name, value] = line.split(" ");
        return [name!, Number(value)];
      }),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("the deduplicating mode refuses what the published series refuses, with its errors", async () => {
  const found = await kcovFacts();
  const expected: Record<string, number> = {
    unique_before_init: EINVAL,
    unique_no_bitmap: EINVAL,
    unique_no_room: EINVAL,
    unique_huge: EINVAL,
    unique_least_room: 0,
    unique_twice: EINVAL,
    unique_second_device: EBUSY,
    disable: 0,
  };
  for (const [name, value] of Object.entries(expected)) assert.equal(found.get(name), value, name);
});

test("a reset is for the traced thread alone, while it is traced", async () => {
  const found = await kcovFacts();
  const refused = [
    "before_init",
    "before_enable",
    "argument",
    "other_device",
    "other_thread",
    "after_disable",
  ];
  for (const name of refused) assert.equal(found.get(`reset_${name}`), EINVAL, name);
  assert.equal(found.get("reset"), 0);
});

test("each point is stored once, and the points are those of a plain trace", async () => {
  const found = await kcovFacts();
  const traced = found.get("traced")!;
  assert.equal(found.get("duplicates"), 0);
  assert.ok(traced > 1000 && found.get("entries")! > 100 * traced);
  // Interrupts and ticks of the clock come when they like; what every turn of the work runs does not depend on them.
  for (const mode of ["traced", "stored"]) {
    assert.ok(found.get(`always_${mode}`)! > 1000, mode);
    assert.equal(found.get(`only_${mode}`), 0, mode);
  }
});

test("a reset forgets everything: the same work is stored again", async () => {
  const found = await kcovFacts();
  assert.ok(found.get("before_reset")! > 1000);
  // The way out of the reset itself is recorded.
  assert.ok(found.get("after_reset")! < 100);
  assert.ok(found.get("after_work")! > 0.9 * found.get("before_reset")!);
  assert.ok(found.get("trace_before_reset")! > 1000);
  assert.ok(found.get("trace_after_reset")! < 100);
});

test("a bitmap that is too small costs repetition, not points", async () => {
  const found = await kcovFacts();
  assert.ok(found.get("small_bitmap_stored")! > 2 * found.get("small_bitmap_unique")!);
  assert.ok(found.get("small_bitmap_unique")! > 1000);
});

test("a full buffer shows as a count that equals its room, and a senseless count harms nobody", async () => {
  const found = await kcovFacts();
  assert.equal(found.get("full_count"), 512 - 411 - 1);
  assert.equal(found.get("senseless_count_survived"), 1);
});

test("tracing ends with its task, and the device is free for another mode", async () => {
  const found = await kcovFacts();
  assert.equal(found.get("child_status"), 0);
  assert.equal(found.get("child_stored_some"), 1);
  assert.equal(found.get("enable_after_exit"), 0);
  assert.equal(found.get("trace_pc_after"), 0);
});
