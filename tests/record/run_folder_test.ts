import assert from "node:assert/strict";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { FormatError } from "../../src/errors.ts";
import { formatInvocation, parseInvocation, thisInvocation } from "../../src/record/invocation.ts";
import { mergeRuns, readRun } from "../../src/record/read_run.ts";
import { openRun } from "../../src/record/run_writer.ts";
import { testRecord } from "../_support/test_records.ts";

const KERNEL = { buildId: "ab12", release: "6.12.1", machine: "x86_64" };

function inFolder(body: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-run-"));
  try {
    body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A run folder with one file of `count` records; gives the file's path. */
function filledRun(folder: string, count: number): string {
  using writer = openRun(folder, { kernel: KERNEL });
  for (let index = 0; index < count; index++) {
    writer.append(testRecord({ name: `test ${index}` }));
  }
  return join(folder, readdirSync(folder)[0]);
}

test("records of several writers are read back, with their kernel", () => {
  inFolder((folder) => {
    const directory = join(folder, "deep", "run");
    using first = openRun(directory, { kernel: KERNEL });
    using second = openRun(directory, { kernel: KERNEL });
    first.append(testRecord({ name: "one" }));
    second.append(testRecord({ name: "two" }));
    first.append(testRecord({ name: "three" }));
    const run = readRun(directory);
    assert.deepEqual(run.kernel, KERNEL);
    assert.deepEqual(run.records.map(({ name }) => name).sort(), ["one", "three", "two"]);
    assert.equal(run.damaged, 0);
    assert.deepEqual(run.records[0].pcs, testRecord().pcs);
  });
});

test("a record can be read as soon as it is appended", () => {
  inFolder((folder) => {
    using writer = openRun(folder, { kernel: KERNEL });
    for (let count = 1; count <= 3; count++) {
      writer.append(testRecord());
      assert.equal(readRun(folder).records.length, count);
    }
  });
});

test("wherever a killed writer's last line ends, only that record is lost, and it is counted", () => {
  inFolder((folder) => {
    const path = filledRun(folder, 3);
    const ended = readFileSync(path);
    assert.equal(readRun(folder).cut, undefined);
    // Without the line that says that it ended.
    const whole = ended.subarray(0, ended.lastIndexOf("\n", ended.length - 2) + 1);
    const lastLine = whole.lastIndexOf("\n", whole.length - 2) + 1;
    for (let length = whole.length - 1; length > lastLine; length--) {
      truncateSync(path, length);
      const run = readRun(folder);
      assert.deepEqual(run.records.map(({ name }) => name), ["test 0", "test 1"]);
      assert.equal(run.damaged, 1);
      assert.deepEqual(run.cut, ["test 1"]);
    }
    truncateSync(path, lastLine);
    assert.equal(readRun(folder).damaged, 0);
  });
});

test("a damaged line in the middle is counted and the others are read", () => {
  inFolder((folder) => {
    const path = filledRun(folder, 3);
    writeFileSync(path, readFileSync(path, "utf8").replace("test 1", "test X"));
    const run = readRun(folder);
    assert.deepEqual(run.records.map(({ name }) => name), ["test 0", "test 2"]);
    assert.equal(run.damaged, 1);
  });
});

test("a file whose header is damaged is not believed, and its records are counted", () => {
  inFolder((folder) => {
    const path = filledRun(folder, 3);
    const damaged = readFileSync(path, "utf8").replace("6.12.1", "6.12.9");
    writeFileSync(path, damaged);
    assert.throws(() => readRun(folder), /no record file that can be read/);
    filledRun(folder, 1);
    const run = readRun(folder);
    assert.equal(run.records.length, 1);
    assert.equal(run.damaged, 4);
  });
});

test("a folder without records is an error that says what to do", () => {
  inFolder((folder) => {
    assert.throws(
      () => readRun(folder),
      (error) => error instanceof FormatError && /run the tests first$/.test(error.message),
    );
  });
});

test("records of different kernels are refused, with both named", () => {
  inFolder((folder) => {
    filledRun(folder, 1);
    using writer = openRun(folder, { kernel: { ...KERNEL, buildId: "cd34" } });
    writer.append(testRecord());
    assert.throws(
      () => readRun(folder),
      (error) => error instanceof FormatError && /ab12.*cd34|cd34.*ab12/.test(error.message),
    );
  });
});

test("mergeRuns() joins records and damage", () => {
  const run = { kernel: KERNEL, modules: [], records: [testRecord()], damaged: 2 };
  const merged = mergeRuns([run, { ...run, records: [testRecord(), testRecord()], damaged: 1 }]);
  assert.equal(merged.records.length, 3);
  assert.deepEqual(merged.records.map(({ pass = 0 }) => pass), [0, 1, 1]);
  // As often as runs are merged, what was recorded in two passes stays in two.
  const again = mergeRuns([merged, run]);
  assert.deepEqual(again.records.map(({ pass = 0 }) => pass), [0, 1, 1, 2]);
  assert.equal(merged.damaged, 3);
  assert.throws(() => mergeRuns([]), RangeError);
});

test("an invocation's name is read back", () => {
  const invocation = thisInvocation();
  assert.equal(invocation.start, startTime(process.pid));
  assert.deepEqual(parseInvocation(formatInvocation(invocation)), invocation);
  assert.equal(parseInvocation("something else"), undefined);
});

/** Start time by the fields' order alone; the names of these processes hold no parentheses. */
function startTime(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/stat`, "latin1").replace(/\(.*\) /, "").split(" ")[20]);
}
