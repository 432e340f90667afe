import assert from "node:assert/strict";
import { test } from "node:test";
import { findTests } from "../../src/coverage/questions/find_tests.ts";
import { RunCoverage } from "../../src/coverage/run_coverage.ts";
import { buildUniverse } from "../../src/coverage/universe.ts";
import {
  displayWidth,
  fit,
  formatCount,
  formatPercent,
  PLAIN_STYLE,
  printable,
  textStyle,
} from "../../src/report/text_style.ts";
import { testTable, totalsText, writtenText } from "../../src/report/text_table.ts";
import { buildRecord, smallKernel } from "../_support/images/index_builder.ts";

function exampleRun(): RunCoverage {
  const index = smallKernel();
  return new RunCoverage(
    buildUniverse(index),
    [
      buildRecord(index, "pipe > writes", [0x10, 0x20, 0x100, 0x140]),
      buildRecord(index, "pipe > reads", [0x200, 0x220, 0x221], null, {
        truncated: true,
        shared: true,
      }),
      buildRecord(index, "socket", [0x400], [1], {
        file: "tests/socket_test.ts",
        outcome: "failed",
        callingThreadOnly: true,
      }),
    ],
    { damaged: 1 },
  );
}

test("testTable() aligns the tests of each file and notes what is missing", () => {
  assert.equal(
    testTable(exampleRun()),
    `test             outcome  functions  lines  points  notes
tests/made_up_test.ts
  pipe > writes  passed           4      8       4
  pipe > reads   passed           2      6       2  truncated, shared, 1 unresolved
tests/socket_test.ts
  socket         failed           1      2       1  thread only
`,
  );
});

test("totalsText() names each denominator and everything that is not in the numbers", () => {
  assert.equal(
    totalsText(exampleRun()),
    `3 tests, 1 failed
  functions   6 of  8 functions with coverage points (75.0 %)
  lines      14 of 18 lines with coverage points (77.8 %; 1 partly)
  points      7 of 11 coverage points in the image (63.6 %)
  unresolved: 1 PC
    1 no coverage call returns there (a tail call reports its caller)
  truncated: the buffer was full in 1 test; PCs are missing
  shared: 1 test ran while another was open; PCs may be its
  thread only: 1 asynchronous test recorded on the calling thread alone
  damaged: 1 record could not be read back
  unknown: 1 tail call cannot be seen by KCOV; 1 function and 2 lines with no other point are not counted
`,
  );
});

test("a test that was repeated has one row, with how many of its points come and go", () => {
  const index = smallKernel();
  const records = [[0x10, 0x100], [0x10, 0x120], [0x10, 0x100]].map((offsets, pass) =>
    buildRecord(index, "a", offsets, null, { pass, outcome: pass === 1 ? "failed" : "passed" })
  );
  const universe = buildUniverse(index);
  const run = new RunCoverage(universe, records);
  assert.equal(
    testTable(run),
    `test  outcome  functions  lines  points  notes
tests/made_up_test.ts
  a   failed           3      4       3  3 repeats, failed in 1, 2 flaky points
`,
  );
  assert.match(totalsText(run), /^1 test in 3 runs, 1 failed\n/);
  assert.match(
    totalsText(run),
    /^ {2}flaky: 2 points hit in some repeats only, of 1 test: --steady/m,
  );
  const steady = new RunCoverage(universe, records, { steady: true });
  assert.match(testTable(steady), /^ {2}a +failed +2 +1 +1 {2}3 repeats, failed in 1$/m);
  assert.match(totalsText(steady), /^ {2}left out: 2 points hit in some repeats only$/m);
  assert.deepEqual(steady.totals, { functions: 2, lines: 1, partialLines: 0, points: 1 });
});

test("two tests of one name in one file are two tests, and no repeats", () => {
  const index = smallKernel();
  const records = [0, 1].flatMap((pass) => [
    buildRecord(index, "a", [0x10, 0x100], null, { pass }),
    buildRecord(index, "a", [0x10, 0x120 + 0x20 * pass], null, { pass }),
  ]);
  const once = new RunCoverage(buildUniverse(index), records.slice(0, 2));
  assert.match(testTable(once), /^ {2}a +passed.*\d\n {2}a #2 +passed.*\d\n$/m);
  assert.doesNotMatch(totalsText(once), /flaky|runs/);
  const twice = new RunCoverage(buildUniverse(index), records);
  assert.match(
    testTable(twice),
    /^ {2}a +passed.* 2 repeats\n {2}a #2 +passed.* 2 repeats, 2 flaky points\n$/m,
  );
  assert.deepEqual(findTests(twice, "a").map(({ tests }) => tests), [[0, 2]]);
  assert.deepEqual(findTests(twice, "a #2").map(({ tests }) => tests), [[1, 3]]);
});

test("what is kept apart, and tasks that ran unrecorded, have lines of their own", () => {
  const index = smallKernel();
  const tree = {
    tasks: 3,
    refused: [{ reason: "32-bit programs are not recorded", tasks: 2 }],
    finished: false,
  };
  const run = new RunCoverage(buildUniverse(index), [
    buildRecord(index, "", [0x10], null, { kind: "baseline" }),
    buildRecord(index, "", [0x10, 0x400], null, { kind: "outside" }),
    buildRecord(index, "a", [0x10], null, { scope: "tree", tree, outcome: "unfinished" }),
  ]);
  assert.match(testTable(run), /^ {2}a +unfinished +.* 2 tasks unrecorded$/m);
  const totals = totalsText(run);
  assert.match(totals, /unrecorded: 2 threads or processes: 32-bit programs are not recorded/);
  assert.match(totals, /^1 test, 1 unfinished$/m);
  assert.match(totals, /unfinished: 1 test began and did not end$/m);
  assert.match(totals, /baseline: 1 point that an empty test hits too/);
  assert.match(totals, /outside tests: 2 points .* 1 of them by no test/);
  const failed = buildRecord(index, "a", [0x10], null, { scope: "tree", tree, outcome: "failed" });
  const given = new RunCoverage(buildUniverse(index), [failed]);
  // The runner gave it up: what it ran may lack something all the same.
  assert.match(testTable(given), /^ {2}a +failed +.*, unfinished$/m);
});

test("the points of a test that was cut short are in the totals, and where there are none that is said", () => {
  const index = smallKernel();
  const cut = { outcome: "unfinished" } as const;
  const known = buildRecord(index, "a", [0x10], null, cut);
  const lost = buildRecord(index, "b", [], null, cut);
  function totals(...records: (typeof known)[]): string {
    return totalsText(new RunCoverage(buildUniverse(index), records));
  }
  assert.match(totals(known), /unfinished: 1 test began and did not end$/m);
  assert.match(totals(lost), /unfinished: 1 test began and did not end; what it ran is lost$/m);
  assert.match(totals(known, lost), /unfinished: 2 tests began .* what 1 of them ran is lost$/m);
});

test("colours appear on a terminal only, and not with NO_COLOR", () => {
  const run = exampleRun();
  const color = textStyle({ isTerminal: true, columns: 100, env: {} });
  // deno-lint-ignore no-control-regex
  const escapes = /\x1b\[\d+m/g;
  assert.match(testTable(run, color), escapes);
  assert.equal(testTable(run, color).replace(escapes, ""), testTable(run));
  assert.equal(totalsText(run, color).replace(escapes, ""), totalsText(run));
  for (const env of [{ NO_COLOR: "1" }, { TERM: "dumb" }]) {
    assert.equal(textStyle({ isTerminal: true, columns: 100, env }).color, false);
  }
  assert.deepEqual(textStyle({ isTerminal: false, env: {} }), PLAIN_STYLE);
  assert.equal(textStyle({ isTerminal: true, env: { NO_COLOR: "" } }).width, 80);
});

test("a narrow terminal shortens names, never numbers", () => {
  const index = smallKernel();
  const name = "suite > ".repeat(20) + "last";
  const run = new RunCoverage(buildUniverse(index), [buildRecord(index, name, [0x100])]);
  const rows = testTable(run, { color: false, width: 70 }).trimEnd().split("\n");
  assert.ok(rows.every((row) => displayWidth(row) <= 70), rows.join("\n"));
  assert.match(rows[2], /….*passed +1 +2 +1$/);
  assert.ok(testTable(run).includes(name), "a pipe gets the whole name");
});

test("wide and combining characters keep the columns aligned", () => {
  assert.equal(displayWidth("管道"), 4);
  assert.equal(displayWidth("e\u0301"), 1);
  assert.equal(displayWidth("🧪x"), 3);
  assert.equal(fit("管道管道", 5), "管道…");
  assert.equal(fit("abc", 3), "abc");
});

test("test names cannot drive the terminal", () => {
  assert.equal(printable("a\x1b[31mb\r\n\u202e"), "a\\u{1b}[31mb\\u{d}\\u{a}\\u{202e}");
});

test("percentages never round up to all or down to none", () => {
  assert.equal(formatPercent(99_999, 100_000), "99.9 %");
  assert.equal(formatPercent(1, 100_000), "0.1 %");
  assert.equal(formatPercent(0, 5), "0 %");
  assert.equal(formatPercent(5, 5), "100 %");
  assert.equal(formatPercent(0, 0), "-");
});

test("formatCount() groups thousands", () => {
  assert.deepEqual([0, 999, 1000, 1234567].map(formatCount), ["0", "999", "1,000", "1,234,567"]);
});

test("writtenText() lists the files with what they hold", () => {
  assert.equal(
    writtenText([{ path: "a/lcov.info", what: "all tests" }, { path: "b.txt", what: "names" }]),
    "a/lcov.info  all tests\nb.txt        names\n",
  );
});
