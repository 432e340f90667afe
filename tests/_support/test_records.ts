import type { TestRecord } from "../../src/record/test_record.ts";

/** A record with the given parts; the rest is plain. */
export function testRecord(parts: Partial<TestRecord> = {}): TestRecord {
  return {
    name: "a test",
    file: "some_test.ts",
    outcome: "passed",
    durationMs: 1.5,
    scope: "thread",
    pcs: Float64Array.of(-0x7eff_fff0, -0x7eff_0000, 0x6000_0010),
    hits: Uint32Array.of(1, 70_000, 0xffff_ffff),
    truncated: false,
    shared: false,
    callingThreadOnly: false,
    ...parts,
  };
}
