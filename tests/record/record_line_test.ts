import assert from "node:assert/strict";
import { test } from "node:test";
import { FormatError } from "../../src/errors.ts";
import { crc32 } from "../../src/base/crc32.ts";
import type { LateWork } from "../../src/record/test_record.ts";
import {
  headerLine,
  lateLine,
  moduleLine,
  parseHeaderLine,
  parseLine,
  recordLine,
} from "../../src/record/record_line.ts";
import { originRecord } from "../_support/origin_records.ts";
import { testRecord } from "../_support/test_records.ts";

test("a record comes back as it was", () => {
  const records = [
    testRecord(),
    testRecord({ outcome: "failed", scope: "tree", truncated: true, shared: true }),
    testRecord({ callingThreadOnly: true, hits: null }),
    testRecord({ pcs: new Float64Array(0), hits: new Uint32Array(0) }),
    testRecord({
      name: 'suite > "quoted"\nline break > ✓ \u{1f40b}',
      file: "dir with space/ä_test.ts",
    }),
    // The ends of what an address can be, and neighbours.
    testRecord({
      pcs: Float64Array.of(-(2 ** 51), -2147483648, -1, 0, 1, 127, 128, 2 ** 32, 2 ** 50, 2 ** 51),
      hits: null,
    }),
  ];
  for (const record of records) {
    const line = recordLine(record);
    assert.equal(line.indexOf("\n"), line.length - 1);
    assert.deepEqual(parseLine(line.slice(0, -1)), { record });
  }
});

const LATE: LateWork = {
  pcs: Float64Array.of(-0x7eff_0000, 0x6000_0010),
  origins: [{ origin: 0x3c00, points: Uint32Array.of(0, 1) }],
  pending: 1,
  dropped: 2,
  truncated: false,
};

test("a record with origins comes back as it was, with its number, and so does late work", () => {
  const record = originRecord({ 0x2a: [16, 32, 48], 0x3c00: [32], 0xc01: [64] }, {
    tree: {
      tasks: 2,
      refused: [],
      finished: true,
      threadsShared: true,
      pending: 3,
      dropped: 1,
    },
  });
  assert.deepEqual(parseLine(recordLine(record, 0).slice(0, -1)), { record, number: 0 });
  assert.deepEqual(parseLine(recordLine(record).slice(0, -1)), { record });
  assert.deepEqual(parseLine(lateLine(7, LATE).slice(0, -1)), { late: LATE, number: 7 });
});

test("hits that are told apart by origin come back as they were, with their sums", () => {
  const { origins, ...rest } = originRecord({ 0x2a: [16, 32, 48], 0x3c00: [32], 0xc01: [64, 16] });
  const counts = [[7, 70_000, 1], [2, 300], [0xffff_ffff]];
  const record = {
    ...rest,
    scope: "thread" as const,
    hits: Uint32Array.of(9, 0xffff_ffff, 1, 300),
    origins: origins!.map((one, at) => ({ ...one, hits: Uint32Array.from(counts[at]) })),
  };
  const line = recordLine(record).slice(0, -1);
  assert.deepEqual(parseLine(line), { record });
  for (let length = 0; length < line.length; length++) {
    assert.throws(() => parseLine(line.slice(0, length)), FormatError);
  }
});

test("5,000 neighbouring PCs take about two bytes each, and as much for their hits at most", () => {
  const pcs = Float64Array.from({ length: 5000 }, (_, index) => -0x7f00_0000 + index * 61);
  const line = recordLine(testRecord({ pcs, hits: new Uint32Array(5000).fill(3) }));
  assert.ok(line.length < 5000 * 4, `${line.length} characters`);
});

const module = {
  name: "ext4",
  buildId: "00ff",
  sections: [{ name: ".text", address: 2 ** 50 }, {
    name: ".exit.text",
    address: 2 ** 50 + 2 ** 32,
  }],
};

test("a module comes back as it was", () => {
  for (const one of [module, { name: "m", buildId: "", sections: [], hidden: "why" }]) {
    assert.deepEqual(parseLine(moduleLine(one).slice(0, -1)), { module: one });
  }
});

test("every cut of a record's or module's line is refused", () => {
  const withOrigins = recordLine(originRecord({ 1: [16, 32], 2: [32] }), 3);
  const lines = [recordLine(testRecord()), withOrigins, lateLine(3, LATE), moduleLine(module)];
  for (const whole of lines) {
    const line = whole.slice(0, -1);
    for (let length = 0; length < line.length; length++) {
      assert.throws(() => parseLine(line.slice(0, length)), FormatError, `${length}`);
    }
  }
});

test("every changed character of a record's or late work's line is refused", () => {
  for (const whole of [recordLine(testRecord()), lateLine(3, LATE)]) {
    const line = whole.slice(0, -1);
    for (let at = 0; at < line.length; at++) {
      const changed = line.slice(0, at) + (line[at] === "1" ? "2" : "1") + line.slice(at + 1);
      assert.throws(() => parseLine(changed), FormatError, `${at}`);
    }
  }
});

test("files of version 3 are read, and those of no other version", () => {
  const header = {
    kernel: { buildId: "ab12", release: "6.12.1", machine: "x86_64" },
    writer: "deno 2.9.6",
    run: "0011aabb-12-34",
    startedAt: 1_700_000_000_000,
  };
  function line(version: number): string {
    const json = JSON.stringify({ kernelcov: version, ...header });
    return `${json} ${crc32(new TextEncoder().encode(json)).toString(16).padStart(8, "0")}`;
  }
  assert.deepEqual(parseHeaderLine(line(3)), header);
  for (const version of [2, 5]) {
    assert.throws(() => parseHeaderLine(line(version)), /not of version 3 or 4: read it with/);
  }
  // A record as version 3 has it.
  const json =
    '{"name":"t","file":"f","outcome":"passed","durationMs":1,"scope":"tree","truncated":false,' +
    '"shared":false,"callingThreadOnly":false,"tree":{"tasks":1,"refused":[],"finished":true},' +
    '"points":1,"pcs":"AA==","hits":null}';
  const sum = crc32(new TextEncoder().encode(json)).toString(16).padStart(8, "0");
  assert.deepEqual(parseLine(`${json} ${sum}`), {
    record: testRecord({
      name: "t",
      file: "f",
      durationMs: 1,
      scope: "tree",
      tree: { tasks: 1, refused: [], finished: true },
      pcs: Float64Array.of(0),
      hits: null,
    }),
  });
});

test("a header comes back as it was, and a damaged one as nothing", () => {
  const header = {
    kernel: { buildId: "ab12", release: "6.12.1", machine: "x86_64" },
    writer: "deno 2.9.6",
    run: "0011aabb-12-34",
    startedAt: 1_700_000_000_000,
  };
  const line = headerLine(header).slice(0, -1);
  assert.deepEqual(parseHeaderLine(line), header);
  const named = { ...header, image: "/boot/vmlinux" };
  assert.deepEqual(parseHeaderLine(headerLine(named).slice(0, -1)), named);
  assert.equal(parseHeaderLine(line.slice(0, -1)), undefined);
  assert.equal(parseHeaderLine(""), undefined);
});
