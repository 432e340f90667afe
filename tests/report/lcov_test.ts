import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { RunCoverage } from "../../src/coverage/run_coverage.ts";
import { buildUniverse } from "../../src/coverage/universe.ts";
import {
  lcovAggregate,
  lcovFileRanges,
  type LcovOptions,
  lcovPerTest,
} from "../../src/report/lcov.ts";
import { lcovDescriptions, lcovNameMap, lcovTestNames } from "../../src/report/lcov_test_names.ts";
import { absolutePaths } from "../../src/report/source_path.ts";
import {
  buildRecord,
  randomKernel,
  randomRecords,
  smallKernel,
} from "../_support/images/index_builder.ts";
import {
  genhtml,
  LCOV_VARIANTS,
  LcovFolder,
  type ParsedFile,
  parseLcov,
} from "../_support/lcov_judges.ts";

function exampleRun(): RunCoverage {
  const index = smallKernel();
  return new RunCoverage(buildUniverse(index), [
    buildRecord(index, "pipe > carries 5 bytes, <b>quickly</b>", [0x10, 0x20, 0x100, 0x140], [
      1,
      1,
      3,
      2,
    ]),
    buildRecord(index, "pipe > reads", [0x200, 0x220], [4, 5]),
    buildRecord(index, "Sockel schließt", [0x400], [1], { outcome: "failed" }),
    buildRecord(index, "touches nothing", []),
  ]);
}

function aggregate(coverage: RunCoverage, options?: LcovOptions): string {
  return [...lcovAggregate(coverage, options)].join("");
}

function perTest(coverage: RunCoverage, options?: LcovOptions): string {
  return [...lcovPerTest(coverage, options)].join("");
}

test("lcovAggregate() writes the whole universe in the classic dialect", () => {
  assert.equal(
    aggregate(exampleRun()),
    `TN:
SF:fs/pipe.c
FN:10,__do_sys_pipe2
FN:10,__x64_sys_pipe2
FN:20,pipe_write
FN:40,pipe_read
FNDA:1,__do_sys_pipe2
FNDA:1,__x64_sys_pipe2
FNDA:3,pipe_write
FNDA:4,pipe_read
FNF:4
FNH:4
DA:10,1
DA:12,1
DA:13,1
DA:20,3
DA:21,3
DA:25,0
DA:26,2
DA:40,4
DA:42,4
DA:43,5
LF:10
LH:9
end_of_record
TN:
SF:include/linux/mm.h
FN:5,get_page
FNDA:7,get_page
FNF:1
FNH:1
DA:5,7
DA:6,7
DA:7,5
LF:3
LH:3
end_of_record
TN:
SF:net/socket.c
FN:3,sock_read
FN:20,show@20
FN:30,show@30
FNDA:1,sock_read
FNDA:0,show@20
FNDA:0,show@30
FNF:3
FNH:1
DA:3,1
DA:4,1
DA:5,0
DA:20,0
DA:30,0
LF:5
LH:2
end_of_record
`,
  );
});

test("lcovPerTest() writes the functions that a test touched, after the baseline", () => {
  const coverage = exampleRun();
  const sections = perTest(coverage).split("end_of_record\n");
  const names = lcovTestNames(coverage.tests.map(({ record }) => record));
  const socket = sections.filter((section) => section.startsWith(`TN:${names[2]}\n`));
  assert.deepEqual(socket, [
    `TN:${names[2]}
SF:net/socket.c
FN:3,sock_read
FNDA:1,sock_read
FNF:1
FNH:1
DA:3,1
DA:4,1
DA:5,0
LF:3
LH:2
`,
  ]);
  assert.equal(sections.filter((section) => section.startsWith("TN:baseline\n")).length, 3);
  assert.ok(!sections.some((section) => section.startsWith(`TN:${names[3]}\n`)));
});

test("dialect 2 groups the functions of a line and gives their end", () => {
  const text = aggregate(exampleRun(), { dialect: 2 });
  assert.ok(text.includes(
    "FNL:0,10,19\nFNA:0,1,__do_sys_pipe2\nFNA:0,1,__x64_sys_pipe2\n" +
      "FNL:1,20,39\nFNA:1,3,pipe_write\nFNL:2,40,49\nFNA:2,4,pipe_read\nFNF:3\nFNH:3\n",
  ));
  assert.ok(!/^FN(DA)?:/m.test(text));
});

test("count tests gives the number of tests of each line", () => {
  const text = aggregate(exampleRun(), { count: "tests" });
  assert.ok(text.includes("SF:include/linux/mm.h\nFN:5,get_page\nFNDA:2,get_page\n"));
  assert.ok(text.includes("DA:5,2\nDA:6,2\nDA:7,1\n"));
});

test("partial lines become half-taken branches on request", async () => {
  assert.ok(!aggregate(exampleRun()).includes("BRDA"));
  const files = await parseLcov(aggregate(exampleRun(), { partial: "brda" }));
  assert.deepEqual(
    files.map(({ branches }) => branches.details.map(({ line, taken }) => [line, taken])),
    [[[21, 3], [21, 0]], [], []],
  );
});

test("counts past 2^31 - 1 are clamped", () => {
  const index = smallKernel();
  const records = ["a", "b"].map((name) => buildRecord(index, name, [0x400], [0xffff_ffff]));
  const text = aggregate(new RunCoverage(buildUniverse(index), records));
  assert.ok(text.includes("DA:3,2147483647\n"));
  assert.ok(text.includes("FNDA:2147483647,sock_read\n"));
});

test("paths are relative, below a root or behind a prefix", () => {
  const coverage = exampleRun();
  assert.ok(
    aggregate(coverage, { paths: absolutePaths("/src/linux") }).includes(
      "SF:/src/linux/fs/pipe.c\n",
    ),
  );
  assert.ok(
    aggregate(coverage, { paths: { prefix: "linux/" } }).includes("SF:linux/fs/pipe.c\n"),
  );
  assert.throws(() => absolutePaths("linux"), TypeError);
});

/** Checks rules that lcov 2 enforces: see its `inconsistent`, `category` and `format` errors. */
function assertConsistent(files: readonly ParsedFile[]): void {
  const sections = new Set<string>();
  for (const { title, file, lines, functions } of files) {
    assert.ok(!sections.has(`${title}::${file}`), `${title}::${file} occurs twice`);
    sections.add(`${title}::${file}`);
    assert.match(title, /^\w*$/);
    const counts = new Map(lines.details.map(({ line, hit }) => [line, hit]));
    assert.equal(counts.size, lines.details.length, "a line occurs twice");
    assert.ok(!counts.has(0));
    assert.equal(lines.found, counts.size);
    assert.equal(lines.hit, [...counts.values()].filter((hit) => hit > 0).length);
    const names = functions.details.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length, "a function name occurs twice");
    const starts = functions.details.map(({ line }) => line);
    for (const { name, line, hit } of functions.details) {
      assert.ok(counts.has(line), `${name} starts at line ${line}, which has no DA`);
      const next = Math.min(...starts.filter((start) => start > line), Infinity);
      const executed = [...counts].some(([at, count]) => at >= line && at < next && count > 0);
      assert.equal(hit > 0, executed, `${name} disagrees with its lines`);
    }
  }
}

for (const count of ["hits", "tests"] as const) {
  test(`lcov-parse reads files that count ${count}, consistent and complete`, async () => {
    const coverage = exampleRun();
    const whole = await parseLcov(aggregate(coverage, { count }));
    assertConsistent(whole);
    const { totals, universe } = coverage;
    const sum = (of: (file: ParsedFile) => number): number =>
      whole.reduce((total, file) => total + of(file), 0);
    assert.equal(sum(({ lines }) => lines.hit), totals.lines);
    assert.equal(sum(({ lines }) => lines.found), universe.counts.lines);
    assert.equal(sum(({ functions }) => functions.hit), totals.functions);
    assert.equal(sum(({ functions }) => functions.found), universe.counts.functions);

    const tests = await parseLcov(perTest(coverage, { count }));
    assertConsistent(tests);
    const added = new Map<string, number>();
    for (const { file, lines } of tests) {
      for (const { line, hit } of lines.details) {
        added.set(`${file}:${line}`, (added.get(`${file}:${line}`) ?? 0) + hit);
      }
    }
    const expected = whole.flatMap(({ file, lines }) =>
      lines.details.map(({ line, hit }) => [`${file}:${line}`, hit] as const)
    );
    assert.deepEqual(added, new Map(expected), "the tests add up to the aggregate");
  });
}

for (const variant of LCOV_VARIANTS) {
  test(`genhtml makes pages of ${variant.name} without a complaint, with the same totals`, () => {
    const coverage = exampleRun();
    const { totals, universe } = coverage;
    using folder = new LcovFolder();
    folder.writeSources(universe.image.files);
    folder.write("tests.desc", lcovDescriptions(coverage.tests.map(({ record }) => record)));
    folder.write(
      "lcov.info",
      variant.perTest ? perTest(coverage, variant.options) : aggregate(coverage, variant.options),
    );
    const { complaints, status, rates } = genhtml(folder, [
      "lcov.info",
      "--branch-coverage",
      ...variant.perTest ? ["--description-file", "tests.desc", "--keep-descriptions"] : [],
    ]);
    assert.equal(complaints, "");
    assert.equal(status, 0);
    assert.deepEqual(rates.lines, { hit: totals.lines, found: universe.counts.lines });
    // genhtml 1.16 does not know the functions of dialect 2.
    assert.deepEqual(
      rates.functions,
      variant.options.dialect === 2
        ? undefined
        : { hit: totals.functions, found: universe.counts.functions },
    );
    const branches = !variant.perTest && variant.options.partial === "brda";
    assert.deepEqual(
      rates.branches,
      branches ? { hit: totals.partialLines, found: 2 * totals.partialLines } : undefined,
    );
    if (!variant.perTest) return;
    const pages = folder.pages().join("\n");
    assert.ok(pages.includes("carries 5 bytes, &lt;b&gt;quickly&lt;/b&gt;"));
    assert.ok(pages.includes("Sockel schließt"));
  });
}

test("genhtml adds up a run that is split into several compressed files", () => {
  const index = randomKernel(1, 6);
  const coverage = new RunCoverage(buildUniverse(index), randomRecords(index, 2, 301));
  using folder = new LcovFolder();
  folder.writeSources(index.files, 250);
  const ranges = lcovFileRanges(coverage.tests.length);
  assert.equal(ranges.length, 2);
  const names = ranges.map(({ from, to }, i) => {
    folder.write(`${i}.info.gz`, gzipSync([...lcovPerTest(coverage, {}, from, to)].join("")));
    return `${i}.info.gz`;
  });
  const { complaints, status, rates } = genhtml(folder, names);
  assert.equal(complaints, "");
  assert.equal(status, 0);
  assert.deepEqual(rates.lines, {
    hit: coverage.totals.lines,
    found: coverage.universe.counts.lines,
  });
  assert.deepEqual(rates.functions, {
    hit: coverage.totals.functions,
    found: coverage.universe.counts.functions,
  });
});

test("lcovTestNames() keeps tests apart that LCOV readers would merge, the same in every run", () => {
  const names = lcovTestNames([
    { name: "suite/test one,foo", file: "a_test.ts" },
    { name: "suite_test_one_foo", file: "a_test.ts" },
    { name: "suite_test_one_foo", file: "b_test.ts" },
    { name: "suite_test_one_foo", file: "b_test.ts" },
    { name: "管道", file: "" },
    { name: "通道", file: "" },
  ]);
  assert.equal(new Set(names).size, names.length);
  for (const name of names) assert.match(name, /^[A-Za-z0-9_]+$/);
  assert.match(names[0], /^suite_test_one_foo_[0-9a-f]{6}$/);
  assert.equal(names[3], `${names[2]}_2`);
  assert.equal(lcovTestNames([{ name: "管道", file: "" }])[0], names[4]);
});

test("descriptions and the name map hold the real names", () => {
  const tests = [{ name: "a\nb > c", file: "x_test.ts" }, { name: "d", file: "" }];
  const [first, second] = lcovTestNames(tests);
  assert.equal(
    lcovDescriptions(tests),
    `TN: ${first}\nTD: x_test.ts: a b > c\nTN: ${second}\nTD: d\n`,
  );
  assert.deepEqual(JSON.parse(lcovNameMap(tests)), { [first!]: tests[0], [second!]: tests[1] });
});

test("lcovFileRanges() puts at most 300 tests into a file and leaves none out", () => {
  assert.deepEqual(lcovFileRanges(0), [{ from: 0, to: 0 }]);
  assert.deepEqual(lcovFileRanges(300), [{ from: 0, to: 300 }]);
  assert.deepEqual(lcovFileRanges(601), [{ from: 0, to: 300 }, { from: 300, to: 600 }, {
    from: 600,
    to: 601,
  }]);
  const coverage = exampleRun();
  const parts = [...lcovPerTest(coverage, {}, 0, 2), ...lcovPerTest(coverage, {}, 2, 4)];
  assert.deepEqual(
    new Set(parts.join("").split("end_of_record\n")),
    new Set(perTest(coverage).split("end_of_record\n")),
  );
});
