import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { checkThresholds, parseThreshold } from "../../src/coverage/thresholds.ts";
import { RunCoverage } from "../../src/coverage/run_coverage.ts";
import { buildUniverse } from "../../src/coverage/universe.ts";
import { cobertura, escapeXml } from "../../src/report/cobertura.ts";
import { coverageTree, fileTable } from "../../src/report/coverage_tables.ts";
import { jsonReport } from "../../src/report/json_report.ts";
import { formatRanges } from "../../src/report/line_ranges.ts";
import {
  syzkallerJsonLines,
  syzkallerPrograms,
  syzkallerRawCover,
} from "../../src/report/syzkaller.ts";
import { teamscaleReport } from "../../src/report/teamscale.ts";
import {
  buildIndex,
  buildRecord,
  randomKernel,
  randomRecords,
  smallKernel,
} from "../_support/images/index_builder.ts";
import { plainLines, plainPoints } from "../_support/plain_coverage.ts";

const DTD = fileURLToPath(new URL("../data/coverage-04.dtd", import.meta.url));
const KERNEL = randomKernel(3, 9);
const RECORDS = randomRecords(KERNEL, 5, 20);
const COVERAGE = new RunCoverage(buildUniverse(KERNEL), RECORDS);

function smallRun(): RunCoverage {
  const index = smallKernel();
  return new RunCoverage(buildUniverse(index), [
    buildRecord(index, "pipe/writes <&>", [0x10, 0x100, 0x140], [1, 3, 2]),
    buildRecord(index, "reads", [0x200, 0x220], [4, 5], { outcome: "failed", durationMs: 1500 }),
  ]);
}

function validate(xml: string): string {
  const { stderr, status } = spawnSync(
    "xmllint",
    ["--nonet", "--noout", "--dtdvalid", DTD, "-"],
    { input: xml, encoding: "utf8" },
  );
  return status === 0 ? "" : stderr || `status ${status}`;
}

test("cobertura() validates against its DTD, and a broken file does not", () => {
  for (const coverage of [smallRun(), COVERAGE]) {
    const documents = [...cobertura(coverage)];
    assert.equal(documents.length, 1);
    assert.equal(validate(documents[0]), "");
    assert.notEqual(validate(documents[0].replace("line-rate", "rate")), "");
  }
});

test("cobertura() splits below the limit, each part valid, nothing lost", () => {
  const [whole] = [...cobertura(COVERAGE)];
  const maxBytes = 30_000;
  const parts = [...cobertura(COVERAGE, { maxBytes })];
  assert.ok(parts.length > 2, `${parts.length} parts`);
  const filesOf = (xml: string): string[] =>
    [...xml.matchAll(/ filename="([^"]+)"/g)].map(([, name]) => name!);
  const linesOf = (xml: string): number => Number(/lines-valid="(\d+)"/.exec(xml)![1]);
  for (const part of parts) {
    assert.ok(new TextEncoder().encode(part).length <= maxBytes);
    assert.equal(validate(part), "");
  }
  assert.deepEqual(parts.flatMap(filesOf), filesOf(whole!));
  assert.equal(parts.reduce((sum, part) => sum + linesOf(part), 0), linesOf(whole!));
  assert.equal(linesOf(whole!), COVERAGE.universe.counts.lines);
});

test("cobertura() marks partly covered lines and escapes names", () => {
  const [xml] = [...cobertura(smallRun(), { paths: { prefix: 'a"b&<c>/' } })];
  assert.ok(
    xml!.includes(`<line number="21" hits="3" branch="true" condition-coverage="50% (1/2)">`),
  );
  assert.ok(xml!.includes(`<line number="20" hits="3" branch="false"/>`));
  assert.ok(xml!.includes(`filename="a&#34;b&#38;&#60;c&#62;/fs/pipe.c"`));
  assert.equal(validate(xml!), "");
  assert.equal(escapeXml("a\u0000\ud800b\n"), "a\ufffd\ufffdb&#10;");
});

test("jsonReport() holds the tests' lines and the files' counts as the records have them", () => {
  const report = JSON.parse([...jsonReport(COVERAGE)].join(""));
  assert.deepEqual(report.universe, COVERAGE.universe.counts);
  assert.deepEqual(report.totals, COVERAGE.totals);
  RECORDS.forEach((record, t) => {
    const files = Object.entries(report.tests[t].files as Record<string, string>);
    const lines = files.flatMap(([path, ranges]) =>
      expand(ranges).map((line) => `${path}:${line}`)
    );
    const universe = new Set(
      report.files.flatMap((file: FileColumns) =>
        file.lineColumns.line.map((line) => `${file.path}:${line}`)
      ),
    );
    assert.deepEqual(new Set(lines), plainLines(KERNEL, record));
    assert.ok(lines.every((line) => universe.has(line)));
  });
  for (const { path, lineColumns } of report.files as FileColumns[]) {
    lineColumns.line.forEach((line, i) => {
      const tests = RECORDS.filter((record) => plainLines(KERNEL, record).has(`${path}:${line}`));
      assert.equal(lineColumns.tests[i], tests.length);
    });
  }
});

interface FileColumns {
  path: string;
  lineColumns: { line: number[]; tests: number[] };
}

function expand(ranges: string): number[] {
  return ranges.split(",").flatMap((range) => {
    const [first, last = first] = range.split("-").map(Number);
    return Array.from({ length: last! - first! + 1 }, (_, i) => first! + i);
  });
}

test("teamscaleReport() gives each test its folders, files and lines", () => {
  const report = JSON.parse([...teamscaleReport(smallRun())].join(""));
  assert.deepEqual(report, {
    partial: false,
    tests: [
      {
        uniformPath: "tests/made_up_test.ts/pipe\\/writes <&>",
        sourcePath: "tests/made_up_test.ts",
        duration: 0.001,
        result: "PASSED",
        paths: [
          { path: "fs", files: [{ fileName: "pipe.c", coveredLines: "10,20-21,26" }] },
          { path: "include/linux", files: [{ fileName: "mm.h", coveredLines: "5-6" }] },
        ],
      },
      {
        uniformPath: "tests/made_up_test.ts/reads",
        sourcePath: "tests/made_up_test.ts",
        duration: 1.5,
        result: "FAILURE",
        paths: [
          { path: "fs", files: [{ fileName: "pipe.c", coveredLines: "40,42-43" }] },
          { path: "include/linux", files: [{ fileName: "mm.h", coveredLines: "5-7" }] },
        ],
      },
    ],
  });
});

test("syzkallerRawCover() writes each hit point once, as KCOV or as the call has it", () => {
  const points = new Set(RECORDS.flatMap((record) => [...plainPoints(KERNEL, record)]));
  const expected = [...points].sort((a, b) => a - b)
    .map((point) => `0x${(KERNEL.base + KERNEL.pointOffset[point] + 5).toString(16)}\n`).join("");
  assert.equal([...syzkallerRawCover(COVERAGE)].join(""), expected);
  const high = smallKernel();
  const negative = { ...high, base: -0x7f00_0000 };
  const run = new RunCoverage(buildUniverse(negative), [buildRecord(negative, "t", [0x10])]);
  assert.equal([...syzkallerRawCover(run)].join(""), "0xffffffff81000015\n");
  assert.equal([...syzkallerRawCover(run, "call")].join(""), "0xffffffff81000010\n");
});

test("syzkallerJsonLines() has a line for every frame of every point that can be seen", () => {
  const lines = [...syzkallerJsonLines(smallRun())].join("").trimEnd().split("\n")
    .map((line) => JSON.parse(line));
  assert.equal(lines.length, 14);
  assert.deepEqual(lines[1], {
    file_path: "fs/pipe.c",
    func_name: "__do_sys_pipe2",
    sl: 12,
    sc: 0,
    el: 12,
    ec: 2 ** 30,
    hit_count: 0,
    inline: true,
    pc: 0x6000_0025,
  });
  assert.deepEqual(lines.filter((line) => line.hit_count > 0).length, 7);
  const high = { ...smallKernel(), base: -0x7f00_0000 };
  const [first] = [...syzkallerJsonLines(new RunCoverage(buildUniverse(high), []))];
  assert.ok(first!.includes(`"pc":18446744071578845205}`), first);
});

test("syzkallerPrograms() has a line per test", () => {
  const lines = [...syzkallerPrograms(smallRun(), { commit: "abc" })].map((line) =>
    JSON.parse(line)
  );
  assert.deepEqual(lines.map(({ program }) => program), [
    "tests/made_up_test.ts: pipe/writes <&>",
    "tests/made_up_test.ts: reads",
  ]);
  assert.deepEqual(lines[1].coverage[0].functions[0], {
    func_name: "pipe_read",
    blocks: [
      { hit_count: 4, from_line: 40, from_column: 0, to_line: 40, to_column: 2 ** 30 },
      { hit_count: 5, from_line: 43, from_column: 0, to_line: 43, to_column: 2 ** 30 },
    ],
  });
});

test("fileTable() and coverageTree() count every file, whichever they show", () => {
  for (const options of [{}, { all: true }]) {
    assert.match(fileTable(smallRun(), options), /^All files +\| +62\.50 \| +55\.56 \|$/m);
    assert.match(coverageTree(smallRun(), options), /^all files +5\/8 +10\/18 +55\.6 %/m);
  }
  const { lines } = buildUniverse(smallKernel()).counts;
  assert.equal(lines, 18);
  assert.match(
    fileTable(smallRun()),
    /; 1 file that no test reached has no line here/,
  );
  assert.ok(!fileTable(smallRun()).includes("net/socket.c"));
  assert.ok(fileTable(smallRun(), { all: true }).includes("net/socket.c"));
  assert.match(coverageTree(smallRun()), /^\(1 file not reached\) +0\/3 +0\/5 +0 % +·+$/m);
});

test("fileTable() and coverageTree() show one place, and none that is not there", () => {
  assert.ok(!fileTable(smallRun(), { only: ["include"] }).includes("fs/pipe.c"));
  assert.match(coverageTree(smallRun(), { only: ["./net/"] }), /^all files +0\/3 +0\/5/m);
  for (const table of [fileTable, coverageTree]) {
    assert.throws(() => table(smallRun(), { only: ["fs", "sf"] }), /no file .* in "sf"/);
  }
});

test("fileTable() never rounds to all or to nothing", () => {
  const lines = Array.from({ length: 20_001 }, (_, i) => i + 1);
  const image = buildIndex([{ name: "f", file: "a.c", line: 1, endLine: 30_000 }], [
    { offset: 0x10, frames: [{ function: 0, line: 1 }], claims: lines.slice(1) },
    { offset: 0x20, frames: [{ function: 0, line: 1 }], claims: [1] },
  ]);
  const share = (offset: number): string =>
    fileTable(new RunCoverage(buildUniverse(image), [buildRecord(image, "t", [offset])]));
  assert.match(share(0x10), /All files \| +100\.00 \| +99\.99 /);
  assert.match(share(0x20), /All files \| +100\.00 \| +0\.01 /);
});

test("coverageTree() sums folders up", () => {
  const tree = coverageTree(smallRun(), { all: true });
  assert.match(tree, /^fs\/ +4\/4 +7\/10 +70\.0 % +██████▒···$/m);
  assert.match(tree, /^include\/linux\/ +1\/1 +3\/3 +100 % +██████████$/m);
  assert.match(tree, /^net\/ +0\/3 +0\/5 +0 % +··········$/m);
});

test("thresholds hold for all files, a folder or a file, and fail where nothing is checked", () => {
  assert.deepEqual(parseThreshold("80"), { path: "", percent: 80 });
  assert.deepEqual(parseThreshold("fs/=12.5%"), { path: "fs", percent: 12.5 });
  for (const bad of ["", "x", "101", "-1", "fs="]) assert.equal(parseThreshold(bad), undefined);
  const results = checkThresholds(smallRun(), [
    { path: "", percent: 55 },
    { path: "fs", percent: 70 },
    { path: "fs/pipe.c", percent: 70.1 },
    { path: "f", percent: 0 },
  ]);
  assert.deepEqual(results.map(({ met }) => met), [true, true, false, false]);
  assert.deepEqual(results[1], { path: "fs", percent: 70, lines: 10, linesHit: 7, met: true });
});

test("formatRanges() joins neighbours", () => {
  assert.equal(formatRanges([1, 2, 3, 5, 7, 8]), "1-3,5,7-8");
  assert.equal(formatRanges([]), "");
});
