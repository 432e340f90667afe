import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readRun } from "../../src/record/read_run.ts";
import { begunLine, parseLine } from "../../src/record/record_line.ts";
import { recordFiles } from "../../src/record/run_folder.ts";
import { openRun, type WriteThrough } from "../../src/record/run_writer.ts";
import type { BegunTest } from "../../src/record/test_record.ts";
import { createFile } from "../../src/sys/files.ts";
import { testRecord } from "../_support/test_records.ts";

const KERNEL = { buildId: "ab", release: "6.12", machine: "x86_64" };

function begun(name: string, parts: Partial<BegunTest> = {}): BegunTest {
  return { name, file: "some_test.ts", scope: "tree", hasHits: false, ...parts };
}

function inFolder(body: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-begun-"));
  try {
    body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("a test that begins comes back as it was", () => {
  for (const one of [begun("a"), begun("b \n", { runner: "bun", kind: "test", hasHits: true })]) {
    const line = begunLine(one);
    assert.equal(line.indexOf("\n"), line.length - 1);
    assert.deepEqual(parseLine(line.slice(0, -1)), { begun: one });
    assert.throws(() => parseLine(line.slice(1, -1)), { name: "FormatError" });
  }
});

test("a test that began and left no record has an unfinished one, and only that", () => {
  inFolder((folder) => {
    const writer = openRun(folder, { kernel: KERNEL });
    writer.begin(begun("ends"));
    writer.append(testRecord({ name: "ends", scope: "tree", hits: null }));
    writer.begin(begun("is cut", { runner: "deno", kind: "test" }));
    writer.begin(begun("counts", { scope: "thread", hasHits: true }));
    writer.close();
    const { records, damaged } = readRun(folder);
    assert.equal(damaged, 0);
    assert.deepEqual(records.map(({ name, outcome }) => [name, outcome]), [
      ["ends", "passed"],
      ["is cut", "unfinished"],
      ["counts", "unfinished"],
    ]);
    assert.deepEqual(records[1], {
      name: "is cut",
      file: "some_test.ts",
      runner: "deno",
      kind: "test",
      scope: "tree",
      outcome: "unfinished",
      durationMs: 0,
      pcs: new Float64Array(0),
      hits: null,
      truncated: false,
      shared: false,
      callingThreadOnly: false,
      tree: { tasks: 0, refused: [], finished: false },
    });
    assert.deepEqual(records[2].hits, new Uint32Array(0));
  });
});

test("tests of one name are told apart by how many have ended, and writers by their files", () => {
  inFolder((folder) => {
    for (const ended of [1, 0]) {
      using writer = openRun(folder, { kernel: KERNEL });
      writer.begin(begun("same"));
      writer.begin(begun("same"));
      for (let i = 0; i < ended; i++) writer.append(testRecord({ name: "same" }));
    }
    const { records } = readRun(folder);
    assert.equal(records.filter(({ outcome }) => outcome === "unfinished").length, 3);
    assert.equal(records.length, 4);
  });
});

test("a record whose line was cut is damage, and its test unfinished", () => {
  inFolder((folder) => {
    const writer = openRun(folder, { kernel: KERNEL });
    writer.begin(begun("cut"));
    writer.close();
    appendFileSync(join(folder, recordFiles(folder)[0]), '{"name":"cut","fi');
    const { records, damaged } = readRun(folder);
    assert.equal(damaged, 1);
    assert.deepEqual(records.map(({ name, outcome }) => [name, outcome]), [["cut", "unfinished"]]);
  });
});

test("a test that the newest run cut short is unfinished, whatever an earlier run recorded of it", () => {
  inFolder((folder) => {
    {
      using earlier = openRun(folder, { kernel: KERNEL, run: "earlier" });
      for (const name of ["cut", "not run"]) earlier.append(testRecord({ name, scope: "tree" }));
    }
    // A run begins later than the last: by a millisecond at least.
    const now = Date.now();
    while (Date.now() === now);
    const writer = openRun(folder, { kernel: KERNEL, run: "newest" });
    writer.append(testRecord({ name: "(outside tests)", kind: "outside" }));
    writer.begin(begun("cut"));
    const { records } = readRun(folder);
    assert.deepEqual(records.map(({ name, outcome, earlier }) => [name, outcome, earlier]), [
      ["not run", "passed", true],
      ["(outside tests)", "passed", undefined],
      ["cut", "unfinished", undefined],
    ]);
    writer.append(testRecord({ name: "cut" }));
    writer.close();
    assert.equal(readRun(folder).records.find(({ name }) => name === "cut")!.outcome, "passed");
  });
});

test("a test whose record could not be written is lost, not unfinished, and makes room for the file's end", () => {
  inFolder((folder) => {
    let room = Infinity;
    const refused = Object.assign(new Error("no room"), { code: "ENOSPC" });
    const writer = openRun(folder, {
      kernel: KERNEL,
      create(path) {
        const file = createFile(path);
        let size = 0;
        return {
          ...file,
          write(bytes) {
            if (size + bytes.length > room) throw refused;
            size += bytes.length;
            return file.write(bytes);
          },
          truncate(bytes) {
            size = bytes;
            file.truncate(bytes);
          },
        };
      },
    });
    writer.begin(begun("fits"));
    writer.append(testRecord({ name: "fits" }));
    const path = join(folder, recordFiles(folder)[0]);
    writer.begin(begun("does not"));
    room = statSync(path).size;
    assert.throws(() => writer.append(testRecord({ name: "does not" })), refused);
    writer.close({ lost: 1 });
    const { records, lost, cut } = readRun(folder);
    assert.deepEqual(records.map(({ name, outcome }) => [name, outcome]), [["fits", "passed"]]);
    assert.deepEqual([lost, cut], [1, undefined]);
  });
});

test("an unfinished record is kept as such when runs are merged", () => {
  inFolder((folder) => {
    const writer = openRun(folder, { kernel: KERNEL });
    writer.append(testRecord({ outcome: "unfinished" }));
    writer.close();
    assert.equal(readRun(folder).records[0].outcome, "unfinished");
  });
});

test("each line is brought out of the kernel's memory before the call that wrote it returns", () => {
  inFolder((folder) => {
    const calls: string[] = [];
    function writeThrough(path: string): WriteThrough {
      calls.push(path.startsWith(folder) ? "open" : path);
      return { write: () => calls.push("write"), close: () => calls.push("close") };
    }
    const writer = openRun(folder, { kernel: KERNEL, writeThrough });
    writer.begin(begun("a"));
    writer.append(testRecord({ name: "a" }));
    writer.close();
    // The last is the line that says that the file has ended.
    assert.deepEqual(calls, ["open", "write", "write", "write", "close"]);
  });
});
