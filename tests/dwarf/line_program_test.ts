import assert from "node:assert/strict";
import { test } from "node:test";
import { MemorySource } from "../../src/base/byte_source.ts";
import { readLineHeader } from "../../src/dwarf/line_header.ts";
import { LineRows } from "../../src/dwarf/line_program.ts";
import { FormatError } from "../../src/errors.ts";
import { buildLineProgram, type LineSpec, type RowSpec } from "../_support/images/dwarf_builder.ts";

const TEXT = -0x7f00_0000; // 0xffffffff81000000

function spec(version: 4 | 5): LineSpec {
  return {
    version,
    directories: ["/src", "fs", "include/linux"],
    files: version === 5 ? [["fs/a.c", 0], ["a.c", 1], ["b.h", 2]] : [["a.c", 1], ["b.h", 2]],
    sequences: [
      [
        { address: TEXT, file: 1, line: 10 },
        { address: TEXT, file: 2, line: 300, isStmt: false },
        { address: TEXT + 4, file: 1, line: 11 },
        { address: TEXT + 400, file: 1, line: 2 },
        { address: TEXT + 401, file: 1, line: 2 },
      ],
      [
        { address: TEXT + 0x200_0000, file: 2, line: 7 },
        { address: TEXT + 0x200_0010, file: 2, line: 7 },
      ],
      // Covers nothing: dropped code.
      [{ address: 0, file: 1, line: 9 }, { address: 0, file: 1, line: 9 }],
    ],
  };
}

function run(bytes: Uint8Array): LineRows {
  const rows = new LineRows();
  rows.run(readLineHeader(new MemorySource(bytes), 0));
  return rows;
}

function sequences(rows: LineRows): RowSpec[][] {
  return Array.from({ length: rows.sequenceCount }, (_, sequence) => {
    const found: RowSpec[] = [];
    for (let row = rows.sequenceFirst[sequence]; row < rows.sequenceEnd[sequence]; row++) {
      found.push({
        address: rows.address[row],
        file: rows.file[row],
        line: rows.line[row],
        isStmt: rows.isStmt[row] === 1,
      });
    }
    return found;
  });
}

for (const version of [4, 5] as const) {
  test(`rows of a version ${version} line table are those that were written`, () => {
    const written = spec(version);
    const expected = written.sequences.slice(0, 2).map((rows) =>
      rows.slice(0, -1).map((row) => ({ isStmt: true, ...row }))
    );
    assert.deepEqual(sequences(run(buildLineProgram(written))), expected);
  });

  test(`every truncation of a version ${version} line table is a FormatError`, () => {
    const whole = buildLineProgram(spec(version));
    for (let length = 0; length < whole.length; length++) {
      assert.throws(() => run(whole.slice(0, length)), FormatError, `at ${length}`);
      // The same with a length field that fits.
      const fitting = whole.slice(0, length);
      if (length < 4) continue;
      new DataView(fitting.buffer).setUint32(0, length - 4, true);
      try {
        run(fitting);
      } catch (error) {
        assert.ok(error instanceof FormatError, `at ${length}: ${error}`);
      }
    }
  });

  test(`a version ${version} line table with any byte changed is read or refused`, () => {
    const whole = buildLineProgram(spec(version));
    const rows = new LineRows();
    for (let at = 0; at < whole.length; at++) {
      for (const value of [0, 1, 0x80, 0xff]) {
        const changed = whole.slice();
        changed[at] = value;
        try {
          rows.run(readLineHeader(new MemorySource(changed), 0));
        } catch (error) {
          assert.ok(error instanceof FormatError, `byte ${at} as ${value}: ${error}`);
        }
      }
    }
  });
}

test("columns are used again for the next program and keep nothing of the last", () => {
  const rows = new LineRows();
  const long = buildLineProgram(spec(5));
  const short = buildLineProgram({
    directories: ["/src"],
    files: [["a.c", 0]],
    sequences: [[{ address: 16, file: 0, line: 3 }, { address: 20, file: 0, line: 3 }]],
  });
  rows.run(readLineHeader(new MemorySource(long), 0));
  rows.run(readLineHeader(new MemorySource(short), 0));
  assert.deepEqual(sequences(rows), [[{ address: 16, file: 0, line: 3, isStmt: true }]]);
});
