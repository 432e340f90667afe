import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { formatInvocation, thisInvocation } from "../../src/record/invocation.ts";
import { currentRun, readRecordFiles, readRun } from "../../src/record/read_run.ts";
import { lockRun } from "../../src/record/run_lock.ts";
import { notedReports, noteReports } from "../../src/record/run_reports.ts";
import { endRecords, LostRecords } from "../../src/record/lost_records.ts";
import { openRun } from "../../src/record/run_writer.ts";
import { type SettleOptions, settleRun } from "../../src/record/settle_run.ts";
import type { RunKernel, TestRecord } from "../../src/record/test_record.ts";
import { testRecord } from "../_support/test_records.ts";

const KERNEL = { buildId: "ab12", release: "6.12.1", machine: "x86_64" };
const OTHER = { ...KERNEL, buildId: "cd34" };

function inFolder(body: (directory: string, out: string) => void, parent = tmpdir()): void {
  const out = mkdtempSync(join(parent, "kernelcov-runs-"));
  try {
    body(join(out, "run"), out);
  } finally {
    rmSync(out, { recursive: true });
  }
}

let runs = 0;

/** Records tests as a run of a process that has ended. */
function record(
  directory: string,
  names: readonly string[],
  { kernel = KERNEL, parts = {} }: { kernel?: RunKernel; parts?: Partial<TestRecord> } = {},
): string {
  const run = `run ${++runs}`;
  const before = new Set(existsSync(directory) ? readdirSync(directory) : []);
  const writer = openRun(directory, { kernel, run });
  for (const name of names) writer.append(testRecord({ name, durationMs: runs, ...parts }));
  writer.close();
  for (const name of readdirSync(directory)) {
    if (before.has(name)) continue;
    // Of another boot, so that nobody takes its writer for one that runs.
    const ended = `00112233-${name.slice(name.indexOf("-") + 1)}`;
    writeFileSync(join(directory, ended), readBytes(join(directory, name)));
    rmSync(join(directory, name));
  }
  // A run begins later than the last: by a millisecond at least.
  const now = Date.now();
  while (Date.now() === now);
  return run;
}

function readBytes(path: string): Uint8Array {
  return process.getBuiltinModule("node:fs").readFileSync(path);
}

function settled(directory: string, options?: SettleOptions) {
  const { files, movedTo } = settleRun(directory, readRecordFiles(directory), options);
  return { run: currentRun(directory, files), movedTo, files };
}

function names(records: readonly TestRecord[]): string[] {
  return records.map(({ name, earlier }) => earlier === true ? `${name} (earlier)` : name).sort();
}

test("a run replaces the tests that it ran and keeps the others, which are marked", () => {
  inFolder((directory) => {
    record(directory, ["a", "b", "c"]);
    const { durationMs } = readRun(directory).records[0];
    record(directory, ["b"]);
    assert.deepEqual(names(readRun(directory).records), ["a (earlier)", "b", "c (earlier)"]);
    assert.deepEqual(names(settled(directory).run.records), ["a (earlier)", "b", "c (earlier)"]);
    const b = readRun(directory).records.find(({ name }) => name === "b");
    assert.ok(b!.durationMs > durationMs, "the newer record");
    record(directory, ["a", "b", "c"]);
    assert.equal(readdirSync(directory).length, 3);
    const all = settled(directory);
    assert.deepEqual(names(all.run.records), ["a", "b", "c"]);
    assert.equal(readdirSync(directory).length, 1, "what was replaced is gone");
  });
});

test("tests of one file are read together, whichever run they are of", () => {
  inFolder((directory) => {
    for (const file of ["x_test.ts", "y_test.ts"]) {
      record(directory, ["a", "b"], { parts: { file } });
    }
    record(directory, ["b"], { parts: { file: "x_test.ts" } });
    const told = readRun(directory).records.map(({ file, name }) => `${file} ${name}`);
    assert.deepEqual(told, ["x_test.ts a", "x_test.ts b", "y_test.ts a", "y_test.ts b"]);
  });
});

test("tests of one name in other files or by other runners are others; repeats of one run stay", () => {
  inFolder((directory) => {
    record(directory, ["a"], { parts: { runner: "deno" } });
    record(directory, ["a"], { parts: { runner: "bun" } });
    record(directory, ["a"], { parts: { runner: "bun", file: "other_test.ts" } });
    assert.equal(settled(directory).run.records.length, 3);
    record(directory, ["a", "a", "a"], { parts: { runner: "deno" } });
    assert.equal(settled(directory).run.records.length, 5);
    record(directory, ["a"], { parts: { runner: "deno" } });
    assert.equal(settled(directory).run.records.length, 3);
  });
});

test("fresh drops all that earlier runs recorded", () => {
  inFolder((directory) => {
    record(directory, ["a", "b"]);
    record(directory, ["b"]);
    const { run } = settled(directory, { fresh: true });
    assert.deepEqual(names(run.records), ["b"]);
    assert.equal(readdirSync(directory).length, 1);
  });
});

test("files of a process that still runs stay, whatever they hold", () => {
  inFolder((directory) => {
    using writer = openRun(directory, { kernel: KERNEL, run: "still running" });
    writer.append(testRecord({ name: "a" }));
    const [file] = readdirSync(directory);
    assert.ok(file.startsWith(formatInvocation(thisInvocation())));
    const now = Date.now();
    while (Date.now() === now);
    record(directory, ["a"]);
    settled(directory, { fresh: true });
    assert.ok(readdirSync(directory).includes(file));
  });
});

test("records of another kernel are left out and counted, and moved aside when the run is settled", () => {
  inFolder((directory, out) => {
    record(directory, ["a", "b"]);
    record(directory, ["a"], { kernel: OTHER });
    const read = readRun(directory);
    assert.deepEqual(names(read.records), ["a"]);
    assert.equal(read.kernel.buildId, OTHER.buildId);
    assert.equal(read.otherKernel, 2);
    const { run, movedTo } = settled(directory);
    assert.equal(run.otherKernel, undefined);
    assert.deepEqual(movedTo, [join(out, "run-ab12")]);
    assert.deepEqual(names(readRun(movedTo[0]).records), ["a", "b"]);
    record(directory, ["b"]);
    assert.deepEqual(settled(directory).movedTo, [join(out, "run-cd34")]);
  });
});

test("a link in the place of a run's folder, or of one that records are moved to, is refused", () => {
  inFolder((directory, out) => {
    mkdirSync(join(out, "elsewhere"));
    symlinkSync("elsewhere", join(out, "link"));
    for (const open of [openRun, lockRun]) {
      assert.throws(
        () => open(join(out, "link"), { kernel: KERNEL }),
        /^TypeError: \S+ is a symbolic link: remove it/,
      );
    }
    record(directory, ["a"]);
    record(directory, ["a"], { kernel: OTHER });
    symlinkSync("elsewhere", join(out, "run-ab12"));
    assert.throws(() => settled(directory), /run-ab12 is a symbolic link/);
    assert.deepEqual(readdirSync(join(out, "elsewhere")), []);
  });
});

test("what is no regular file is counted as damaged, and not waited for", () => {
  inFolder((directory, out) => {
    record(directory, ["a"]);
    const [file] = readdirSync(directory);
    renameSync(join(directory, file), join(out, "real"));
    symlinkSync("../real", join(directory, file));
    execFileSync("mkfifo", [join(directory, "fifo.records"), join(directory, "reports")]);
    assert.deepEqual(notedReports(directory), []);
    record(directory, ["b"]);
    const { records, damaged } = readRun(directory);
    assert.deepEqual(names(records), ["b"]);
    assert.equal(damaged, 2);
  });
});

test("a build id from a file names no folder elsewhere", () => {
  inFolder((directory, out) => {
    record(directory, ["a"], { kernel: { ...KERNEL, buildId: "/../../x" } });
    record(directory, ["a"]);
    assert.deepEqual(settled(directory).movedTo, [join(out, "run-unknown-kernel")]);
  });
});

test("a file of another version, or without a header, is moved aside; alone it is refused", () => {
  inFolder((directory, out) => {
    record(directory, ["a"]);
    const [file] = readdirSync(directory);
    const { seal } = { seal: (json: string) => `${json} ${crc(json)}\n` };
    writeFileSync(join(directory, file), seal(`{"kernelcov":1,"kernel":{},"writer":"old"}`));
    assert.throws(
      () => readRun(directory),
      /not of version \d+ or \d+: read it with the kernelcov/,
    );
    record(directory, ["b"]);
    assert.equal(readRun(directory).damaged, 1);
    const { run, movedTo } = settled(directory);
    assert.equal(run.damaged, 0);
    assert.deepEqual(movedTo, [join(out, "run-unreadable")]);
    assert.deepEqual(readdirSync(movedTo[0]), [file]);
  });
});

function crc(json: string): string {
  let crc = ~0;
  for (const byte of new TextEncoder().encode(json)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc >>> 1 ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ((~crc) >>> 0).toString(16).padStart(8, "0");
}

test("a run of no tests leaves no file, whatever ran outside of tests", () => {
  inFolder((directory) => {
    record(directory, ["(outside tests)"], { parts: { kind: "outside" } });
    record(directory, ["(empty tests)"], { parts: { kind: "baseline" } });
    assert.deepEqual(readdirSync(directory), []);
    const writer = openRun(directory, { kernel: KERNEL });
    writer.append(testRecord({ name: "(empty tests)", kind: "baseline" }));
    writer.append(testRecord({ name: "a" }));
    writer.append(testRecord({ name: "(outside tests)", kind: "outside" }));
    writer.close();
    const { records, cut } = readRun(directory);
    assert.deepEqual(records.map(({ kind }) => kind), ["baseline", undefined, "outside"]);
    assert.equal(cut, undefined);
  });
});

test("the first record of a run removes the reports of older ones, and no file of the user's", () => {
  inFolder((directory, out) => {
    record(directory, ["a"]);
    for (const name of ["lcov.info", "tests.info", "mine.txt"]) writeFileSync(join(out, name), "x");
    writeFileSync(join(out, "..", `${basename(out)}.outside`), "x");
    noteReports(directory, ["lcov.info", "tests.info"]);
    record(directory, ["(outside tests)"], { parts: { kind: "outside" } });
    assert.deepEqual(readdirSync(out).sort(), ["lcov.info", "mine.txt", "run", "tests.info"]);
    noteReports(directory, ["lcov.info", `../${basename(out)}.outside`, "..", "tests.info"]);
    assert.deepEqual(notedReports(directory), ["lcov.info", "tests.info"]);
    record(directory, ["b"]);
    assert.deepEqual(readdirSync(out).sort(), ["mine.txt", "run"]);
    assert.deepEqual(notedReports(directory), []);
    assert.ok(existsSync(join(out, "..", `${basename(out)}.outside`)));
    rmSync(join(out, "..", `${basename(out)}.outside`));
  });
});

test("an output folder is taken for its run", () => {
  inFolder((directory, out) => {
    record(directory, ["a"]);
    assert.deepEqual(names(readRun(out).records), ["a"]);
    assert.deepEqual(names(readRun(`${out}/`).records), ["a"]);
    assert.throws(
      () => readRun(join(out, "none")),
      /There is no folder .*none: run the tests first/,
    );
  });
});

test("what is larger than the longest text is counted, and the lines before it are read", () => {
  inFolder((directory) => {
    record(directory, ["a"]);
    const [file] = readdirSync(directory);
    // Zeros to 600 MiB, which take no room on the disk.
    truncateSync(join(directory, file), 600 << 20);
    const { records, damaged, cut } = readRun(directory);
    assert.deepEqual(names(records), ["a"]);
    assert.equal(damaged, 1);
    // What its writer wrote last was the end.
    assert.equal(cut, undefined);
    // Where such a file is no work for a disk.
  }, existsSync("/dev/shm") ? "/dev/shm" : tmpdir());
});

test("a folder that is removed while tests run costs its records, and says so", () => {
  inFolder((directory) => {
    const writer = openRun(directory, { kernel: KERNEL });
    writer.append(testRecord({ name: "a" }));
    rmSync(directory, { recursive: true });
    const told = endRecords(writer, new LostRecords(), directory);
    assert.match(told!, /^All 1 records are lost: \S+ was removed while tests ran: /);
  });
});

test("records that cannot be written are counted in the file, and told in one line", () => {
  const lost = new LostRecords();
  const full = Object.assign(new RangeError("No space left on device (os error 28)"), {});
  for (const name of ["a", "b", "c", "d"]) lost.add(name, full);
  inFolder((directory) => {
    const writer = openRun(directory, { kernel: KERNEL });
    writer.append(testRecord({ name: "e" }));
    assert.equal(
      endRecords(writer, lost, "run"),
      '4 records of "a", "b", "c" and 1 more could not be written to run: ENOSPC: free space on that disk, and run again',
    );
    assert.equal(readRun(directory).lost, 4);
  });
});

test("a file of long lines is read line by line", () => {
  inFolder((directory) => {
    const writer = openRun(directory, { kernel: KERNEL });
    // Each line is longer than what is read at once.
    const pcs = Float64Array.from({ length: 900_000 }, (_, at) => 0x6000_0000 + at * 5);
    for (const name of ["a", "b", "c"]) writer.append(testRecord({ name, pcs, hits: null }));
    writer.close();
    const { records, damaged } = readRun(directory);
    assert.deepEqual(records.map((record) => record.pcs.length), [900_000, 900_000, 900_000]);
    assert.equal(damaged, 0);
  });
});
