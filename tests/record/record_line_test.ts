import assert from "node:assert/strict";
import { test } from "node:test";
import { FormatError } from "../../src/errors.ts";
import {
  headerLine,
  moduleLine,
  parseHeaderLine,
  parseLine,
  recordLine,
} from "../../src/record/record_line.ts";
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
  for (const whole of [recordLine(testRecord()), moduleLine(module)]) {
    const line = whole.slice(0, -1);
    for (let length = 0; length < line.length; length++) {
      assert.throws(() => parseLine(line.slice(0, length)), FormatError, `${length}`);
    }
  }
});

test("every changed character of a record line is refused", () => {
  const line = recordLine(testRecord()).slice(0, -1);
  for (let at = 0; at < line.length; at++) {
    const changed = line.slice(0, at) + (line[at] === "1" ? "2" : "1") + line.slice(at + 1);
    assert.throws(() => parseLine(changed), FormatError, `${at}`);
  }
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
