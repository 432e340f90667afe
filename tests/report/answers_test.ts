import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { compareCoverage, testSide } from "../../src/coverage/questions/compare_coverage.ts";
import { parsePatch } from "../../src/coverage/patch/patch.ts";
import { whichPatch } from "../../src/coverage/patch/patch_tests.ts";
import { RunCoverage } from "../../src/coverage/run_coverage.ts";
import { TestLookup } from "../../src/coverage/questions/test_lookup.ts";
import { repeatGroups } from "../../src/coverage/test_repeats.ts";
import { buildUniverse } from "../../src/coverage/universe.ts";
import { whichLine } from "../../src/coverage/questions/which_tests.ts";
import { testReference } from "../../src/report/answer_json.ts";
import { differenceText, lineAnswerText, patchAnswerText } from "../../src/report/answer_text.ts";
import { bunRunner } from "../../src/runners/bun/runner.ts";
import { denoRunner } from "../../src/runners/deno/runner.ts";
import { runnerFilter } from "../../src/runners/runner_filter.ts";
import { flakyText } from "../../src/report/flaky_text.ts";
import { showTest, showText } from "../../src/report/show_text.ts";
import { syzkallerPrograms } from "../../src/report/syzkaller.ts";
import { teamscaleReport } from "../../src/report/teamscale.ts";
import { testLabel } from "../../src/report/test_label.ts";
import { partName, partsBehind } from "../../src/cli/output_file.ts";
import { buildIndex, buildRecord, smallKernel } from "../_support/images/index_builder.ts";

function exampleRun(): RunCoverage {
  const index = smallKernel();
  return new RunCoverage(buildUniverse(index), [
    buildRecord(index, "writes", [0x10, 0x100, 0x140], [1, 3, 2]),
    buildRecord(index, "reads", [0x10, 0x200, 0x220], [1, 4, 5]),
    buildRecord(index, "socket", [0x400], [1], { truncated: true }),
  ]);
}

function answerTo(file: string, line: number): string {
  const run = exampleRun();
  return whichLine(new TestLookup(run), file, line).map((a) => lineAnswerText(run, a)).join("");
}

test("the answer for a line says how much of it ran, how often and in which tests", () => {
  assert.equal(
    answerTo("mm.h", 6),
    `include/linux/mm.h:6 in get_page
  2 of 2 points hit, by 2 tests
  tests/made_up_test.ts: writes  2 ×  1 of 2 points
  tests/made_up_test.ts: reads   5 ×  1 of 2 points
`,
  );
  assert.equal(
    answerTo("fs/pipe.c", 24),
    `fs/pipe.c:24 in pipe_write
  no coverage point claims this line: it has no code of its own
  lines near it that can be covered: 21, 25
`,
  );
});

test("the answer for a patch names tests, reasons, gaps and what cannot be ruled out", () => {
  const run = exampleRun();
  const patch = parsePatch(`--- a/fs/pipe.c
+++ b/fs/pipe.c
@@ -19,3 +19,3 @@
 a
-b
+c
 d
@@ -25 +25 @@
-x
+y
--- a/include/linux/pipe_fs_i.h
+++ b/include/linux/pipe_fs_i.h
@@ -1 +1 @@
-#define A 1
+#define A 2
`);
  assert.equal(
    patchAnswerText(run, whichPatch(new TestLookup(run), patch)),
    `Run all tests: this cannot be judged
  include/linux/pipe_fs_i.h: a header's macros and types reach every file that includes it
1 test
    1.200  tests/made_up_test.ts: writes
           runs fs/pipe.c:20 in pipe_write, no other test does
           enters pipe_write (fs/pipe.c) but does not run the changed lines
Cannot be ruled out: their coverage is not whole (truncated or failed)
  tests/made_up_test.ts: socket
Hunks
  fs/pipe.c:19  covered  tests run the changed lines
  fs/pipe.c:25  uncovered  tests enter the function but do not run these lines
    no test runs 1 line: 25
  include/linux/pipe_fs_i.h:1  run-all  a header's macros and types reach every file that includes it
`,
  );
});

test("a comparison shows the functions that only one side entered", () => {
  const run = exampleRun();
  const [a, b] = repeatGroups(run).map(testSide);
  const text = differenceText(["writes", "reads"], compareCoverage(run.universe, a!, b!));
  assert.match(text, /^ {2}points +2 +1 +2$/m);
  assert.match(text, /^ {2}20\.0 % of their points are common$/m);
  assert.match(text, /^ {2}fs\/pipe\.c pipe_write \(only A enters it\): A 20-21,26$/m);
  assert.match(text, /^ {2}include\/linux\/mm\.h get_page: B 7$/m);
});

test("showText() lists functions, lines of its own and similar tests", () => {
  const run = exampleRun();
  const shown = showTest(run, repeatGroups(run)[0], [{ test: 1, similarity: 0.2 }]);
  assert.equal(
    showText(run, shown),
    `tests/made_up_test.ts: writes
  passed in 1.0 ms; 4 functions, 6 lines (2 partly), 3 points
Lines that only this test ran: 3
  fs/pipe.c
    pipe_write:20  20-21,26
Most similar tests
  tests/made_up_test.ts: reads  20.0 %
Functions, those that the fewest tests run first
  fs/pipe.c
    __do_sys_pipe2, __x64_sys_pipe2:10  1 of 3 lines (33.3 %)
    pipe_write:20  3 of 4 lines (75.0 %)
  include/linux/mm.h
    get_page:5  2 of 3 lines (66.7 %)
`,
  );
});

test("showText() puts what every test runs last, and arch last of what as many run", () => {
  const files = ["arch/um/a.c", "fs/b.c", "kernel/c.c"];
  const index = buildIndex(
    files.map((file, i) => ({ name: `f${i}`, file, line: 1, endLine: 9 })),
    files.map((_, i) => ({
      offset: 0x10 * (i + 1),
      frames: [{ function: i, line: 1 }],
      claims: [1],
    })),
  );
  const shownFiles = (...others: number[][]): string[] => {
    const run = new RunCoverage(
      buildUniverse(index),
      [[0x10, 0x20, 0x30], ...others].map((offsets, i) => buildRecord(index, `t${i}`, offsets)),
    );
    const text = showText(run, showTest(run, repeatGroups(run)[0], []));
    return text.slice(text.indexOf("Functions")).match(/^ {2}\S+\.c$/gm)!.map((file) =>
      file.trim()
    );
  };
  assert.deepEqual(shownFiles(), ["fs/b.c", "kernel/c.c", "arch/um/a.c"]);
  assert.deepEqual(shownFiles([0x10, 0x20]), ["kernel/c.c", "fs/b.c", "arch/um/a.c"]);
});

test("flakyText() lists the points that some repeats hit, and in how many", () => {
  const index = smallKernel();
  const run = new RunCoverage(
    buildUniverse(index),
    [[0x10, 0x100], [0x10, 0x220], [0x10, 0x100]].map((offsets, pass) =>
      buildRecord(index, "a", offsets, null, { pass })
    ),
  );
  assert.equal(
    flakyText(run, repeatGroups(run)[0]),
    `tests/made_up_test.ts: a: 2 flaky points in 3 repeats
  fs/pipe.c:20 pipe_write        2 of 3
  include/linux/mm.h:6 get_page  1 of 3
`,
  );
  assert.match(
    showText(run, showTest(run, repeatGroups(run)[0], [])),
    /, 3 repeats with 2 flaky points; 5 functions/,
  );
});

test("runnerFilter() survives a shell and matches names with special characters only", () => {
  const tests = [
    { name: `it's (a) "test" > x/y`, file: "my tests/a_test.ts" },
    { name: "plain", file: "b_test.ts" },
  ];
  for (
    const [runner, names] of [
      [denoRunner, [`it's (a) "test"`, "plain"]],
      [bunRunner, [`it's (a) "test" x/y`, "plain"]],
    ] as const
  ) {
    const words = execFileSync("xargs", ["-n1", "printf", "%s\\n"], {
      input: runnerFilter(runner, tests),
      encoding: "utf8",
    }).trimEnd().split("\n");
    assert.deepEqual(words.slice(2), ["my tests/a_test.ts", "b_test.ts"]);
    const pattern = new RegExp(words[1].replace(/^\/|\/$/g, ""));
    for (const name of names) assert.match(name, pattern);
    assert.doesNotMatch(`${names[0]}!`, pattern);
    assert.doesNotMatch("xplain", pattern);
  }
  assert.equal(runnerFilter(bunRunner, []), "");
});

test("partName() numbers the parts of a file before its extension", () => {
  assert.deepEqual([1, 2].map((n) => partName("out/a.info.gz", n)), [
    "out/a.info.gz",
    "out/a-2.info.gz",
  ]);
  assert.equal(partName("c.d/cob.xml", 3), "c.d/cob-3.xml");
});

test("partsBehind() finds the parts that a longer report left behind the last", () => {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-parts-"));
  try {
    for (const name of ["a.xml", "a-2.xml", "a-3.xml", "a-4.xml", "a-6.xml", "b-2.xml"]) {
      writeFileSync(join(folder, name), "");
    }
    const behind = partsBehind(join(folder, "a.xml"), 2);
    assert.deepEqual(behind, [join(folder, "a-3.xml"), join(folder, "a-4.xml")]);
    assert.deepEqual(partsBehind(join(folder, "b.xml"), 2), []);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("tests of one name are told apart by their runners, in every answer", () => {
  const index = smallKernel();
  const run = new RunCoverage(
    buildUniverse(index),
    ["deno", "bun"].map((runner) => buildRecord(index, "reads", [0x10], [1], { runner })),
  );
  assert.deepEqual([0, 1].map((test) => testLabel(run, test)), [
    "tests/made_up_test.ts: reads (deno)",
    "tests/made_up_test.ts: reads (bun)",
  ]);
  assert.deepEqual(testReference(run, 1), {
    name: "reads",
    file: "tests/made_up_test.ts",
    runner: "bun",
  });
  const paths = JSON.parse([...teamscaleReport(run)].join("")).tests
    .map(({ uniformPath }: { uniformPath: string }) => uniformPath);
  assert.deepEqual(paths, ["deno", "bun"].map((r) => `tests/made_up_test.ts/reads (${r})`));
  const programs = [...syzkallerPrograms(run)].map((line) => JSON.parse(line).program);
  assert.deepEqual(programs, ["deno", "bun"].map((r) => `tests/made_up_test.ts: reads (${r})`));
});
