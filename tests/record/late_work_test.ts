import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { mergeRuns, readRun } from "../../src/record/read_run.ts";
import { recordFiles } from "../../src/record/run_folder.ts";
import { openRun, type RunWriter } from "../../src/record/run_writer.ts";
import type { LateWork } from "../../src/record/test_record.ts";
import { createFile } from "../../src/sys/files.ts";
import { originRecord, wholeNumbers } from "../_support/origin_records.ts";
import { testRecord } from "../_support/test_records.ts";

const KERNEL = { buildId: "ab", release: "6.12", machine: "x86_64" };
const TIMER = 0x3c00;
const OPENAT = 257;

function late(
  origins: Readonly<Record<number, readonly number[]>>,
  parts: Partial<LateWork> = {},
): LateWork {
  const { pcs, origins: found = [] } = originRecord(origins);
  return { pcs, origins: found, pending: 0, dropped: 0, truncated: false, ...parts };
}

function inFolder(body: (folder: string, writer: RunWriter) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-late-"));
  try {
    body(folder, openRun(folder, { kernel: KERNEL }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function onlyFile(folder: string): string {
  const [name, ...others] = recordFiles(folder);
  assert.deepEqual(others, []);
  return join(folder, name);
}

test("late work is read as a part of the record that it belongs to", () => {
  inFolder((folder, writer) => {
    const tree = { tasks: 1, refused: [], finished: true };
    const first = writer.append(originRecord({ [OPENAT]: [16, 48] }, { name: "first" }));
    const second = writer.append(
      originRecord({ [OPENAT]: [16] }, {
        name: "second",
        tree: { ...tree, pending: 2, dropped: 1 },
      }),
    );
    writer.addLate(first, late({ [TIMER]: [32, 48], [OPENAT]: [64] }, { pending: 1 }));
    writer.addLate(second, late({ [TIMER]: [8] }, { dropped: 4, truncated: true }));
    writer.addLate(first, late({ [TIMER]: [16] }, { pending: 0 }));
    writer.close();
    const { records, damaged } = readRun(folder);
    assert.equal(damaged, 0);
    assert.deepEqual(records, [
      originRecord({ [OPENAT]: [16, 48, 64], [TIMER]: [16, 32, 48] }, { name: "first" }),
      originRecord({ [OPENAT]: [16], [TIMER]: [8] }, {
        name: "second",
        truncated: true,
        tree: { ...tree, dropped: 4 },
      }),
    ]);
  });
});

test("late work of any origins and points makes the union of both", () => {
  for (let seed = 0; seed < 100; seed++) {
    const below = wholeNumbers(seed);
    const parts = Array.from({ length: 3 }, () => {
      const points = new Map<number, number[]>();
      for (let i = 0; i < 1 + below(30); i++) {
        const origin = below(5);
        points.set(origin, [...new Set([...points.get(origin) ?? [], 16 * below(40)])]);
      }
      return Object.fromEntries(points);
    });
    inFolder((folder, writer) => {
      const number = writer.append(originRecord(parts[0]));
      for (const part of parts.slice(1)) writer.addLate(number, late(part));
      writer.close();
      const [record] = readRun(folder).records;
      const all = new Set(parts.flatMap((part) => Object.values(part).flat()));
      assert.deepEqual([...record.pcs], [...all].sort((a, b) => a - b));
      for (const { origin, points } of record.origins!) {
        const own = new Set(parts.flatMap((part) => part[origin] ?? []));
        assert.deepEqual(
          Array.from(points, (point) => record.pcs[point]),
          [...own].sort((a, b) => a - b),
        );
      }
    });
  }
});

test("late work whose record is damaged is damage too, and of no other record", () => {
  inFolder((folder, writer) => {
    const numbers = ["lost", "stays"].map((name) =>
      writer.append(originRecord({ [OPENAT]: [16] }, { name }))
    );
    for (const number of numbers) writer.addLate(number, late({ [TIMER]: [32 + number] }));
    writer.close();
    const path = onlyFile(folder);
    writeFileSync(path, readFileSync(path, "utf8").replace('"lost"', '"lust"'));
    const { records, damaged } = readRun(folder);
    assert.equal(damaged, 2);
    assert.deepEqual(records.map(({ name, pcs }) => [name, ...pcs]), [["stays", 16, 33]]);
  });
});

test("late work that was cut is damage, and its record as it was before", () => {
  inFolder((folder, writer) => {
    const record = originRecord({ [OPENAT]: [16] }, {
      tree: { tasks: 1, refused: [], finished: true, pending: 1 },
    });
    const number = writer.append(record);
    const path = onlyFile(folder);
    const whole = readFileSync(path).length;
    writer.addLate(number, late({ [TIMER]: [32] }));
    for (const length of [readFileSync(path).length - 1, whole + 1]) {
      truncateSync(path, length);
      const { records, damaged, cut } = readRun(folder);
      assert.deepEqual(records, [record]);
      assert.deepEqual([damaged, cut], [1, ["a test"]]);
    }
  });
});

test("late work of what ran before the first test is kept with it", () => {
  inFolder((folder, writer) => {
    const outside = writer.append(
      originRecord({ [OPENAT]: [16] }, { name: "(outside tests)", kind: "outside" }),
    );
    writer.addLate(outside, late({ [TIMER]: [32] }));
    assert.deepEqual(recordFiles(folder), []);
    writer.append(originRecord({ [OPENAT]: [16] }));
    writer.addLate(outside, late({ [TIMER]: [48] }));
    writer.close();
    assert.deepEqual(readRun(folder).records[0].pcs, Float64Array.of(16, 32, 48));
  });
});

test("late work of a record without origins, of none, or of a file that has ended is refused", () => {
  inFolder((folder, writer) => {
    const work = late({ [TIMER]: [32] });
    const plain = writer.append(testRecord());
    assert.throws(() => writer.addLate(plain, work), TypeError);
    assert.throws(() => writer.addLate(99, work), TypeError);
    const number = writer.append(originRecord({ [OPENAT]: [16] }));
    writer.close();
    assert.throws(() => writer.addLate(number, work), /must be one of this file/);
    const later = writer.append(originRecord({ [OPENAT]: [16] }));
    assert.notEqual(later, number);
    writer.close();
    assert.equal(readRun(folder).damaged, 0);
  });
});

test("late work that does not fit on the disk costs nothing else", () => {
  inFolder((folder) => {
    const refused = Object.assign(new Error("no room"), { code: "ENOSPC" });
    let isFull = false;
    const writer = openRun(folder, {
      kernel: KERNEL,
      create(path) {
        const file = createFile(path);
        return {
          ...file,
          write(bytes) {
            if (!isFull) return file.write(bytes);
            if (bytes.length > 1) return file.write(bytes.subarray(0, 1));
            throw refused;
          },
        };
      },
    });
    const number = writer.append(originRecord({ [OPENAT]: [16] }, { name: "first" }));
    isFull = true;
    assert.throws(() => writer.addLate(number, late({ [TIMER]: [32] })));
    isFull = false;
    writer.append(originRecord({ [OPENAT]: [16] }, { name: "second" }));
    writer.addLate(number, late({ [TIMER]: [48] }));
    writer.close();
    const { records, damaged } = readRun(folder);
    assert.deepEqual(records.map(({ name, pcs }) => [name, ...pcs]), [["first", 16, 48], [
      "second",
      16,
    ]]);
    assert.equal(damaged, 0);
  });
});

test("a merged run has the late work in its records, and is read as it was when written again", () => {
  inFolder((folder, writer) => {
    const number = writer.append(originRecord({ [OPENAT]: [16] }));
    writer.addLate(number, late({ [TIMER]: [32] }, { pending: 1 }));
    writer.close();
    const run = mergeRuns([readRun(folder), readRun(folder)]);
    const again = join(folder, "again");
    {
      using other = openRun(again, run);
      for (const record of run.records) other.append(record);
    }
    assert.deepEqual(readRun(again), run);
    assert.deepEqual(run.records.map(({ pcs }) => pcs.length), [2, 2]);
  });
});

test("a record that is left for later is written with the next line, and with the file's end", () => {
  inFolder((folder, writer) => {
    const never = (error: unknown): never => assert.fail(String(error));
    writer.append(testRecord({ name: "first" }));
    const number = writer.appendLater(originRecord({ [OPENAT]: [16] }, { name: "second" }), never);
    writer.addLate(number, late({ [TIMER]: [32] }), never);
    const names = (): string[] => readRun(folder).records.map(({ name }) => name);
    assert.deepEqual(names(), ["first"]);
    writer.begin({ name: "third", file: "some_test.ts", scope: "thread", hasHits: true });
    assert.deepEqual(names(), ["first", "second", "third"]);
    writer.appendLater(testRecord({ name: "third" }), never);
    writer.close();
    const { records, damaged, cut } = readRun(folder);
    assert.deepEqual([damaged, cut], [0, undefined]);
    assert.deepEqual(records.map(({ name, outcome }) => [name, outcome]), [
      ["first", "passed"],
      ["second", "passed"],
      ["third", "passed"],
    ]);
    assert.deepEqual([...records[1].pcs], [16, 32]);
  });
});

test("a record that was left for later and does not fit is told, and counted by the file's end", () => {
  inFolder((folder) => {
    let room = Infinity;
    const writer = openRun(folder, {
      kernel: KERNEL,
      create(path) {
        const file = createFile(path);
        return {
          ...file,
          write(bytes) {
            if (bytes.length > room) throw Object.assign(new Error("no room"), { code: "ENOSPC" });
            return file.write(bytes);
          },
        };
      },
    });
    const lost: unknown[] = [];
    const onLost = (error: unknown): void => void lost.push(error);
    const begun = { file: "some_test.ts", scope: "thread", hasHits: true } as const;
    writer.append(testRecord({ name: "first" }));
    const pcs = Float64Array.from({ length: 1000 }, (_, index) => index * 1000);
    writer.appendLater(testRecord({ name: "large", pcs, hits: null }), onLost);
    room = 1000;
    writer.begin({ name: "next", ...begun });
    assert.equal(lost.length, 1);
    writer.appendLater(testRecord({ name: "next" }), onLost);
    writer.close({ lost: 1 });
    const { records, damaged, lost: counted, cut } = readRun(folder);
    assert.deepEqual(records.map(({ name }) => name), ["first", "next"]);
    assert.deepEqual([damaged, counted, cut, lost.length], [0, 1, undefined, 1]);
  });
});
