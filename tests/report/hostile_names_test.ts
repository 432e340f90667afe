import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { compareCoverage, testSide } from "../../src/coverage/questions/compare_coverage.ts";
import { minimizeTests } from "../../src/coverage/questions/minimize_tests.ts";
import { parsePatch } from "../../src/coverage/patch/patch.ts";
import { whichPatch } from "../../src/coverage/patch/patch_tests.ts";
import { RunCoverage } from "../../src/coverage/run_coverage.ts";
import { SimilarTests } from "../../src/coverage/questions/similar_tests.ts";
import { TestLookup } from "../../src/coverage/questions/test_lookup.ts";
import { repeatGroups } from "../../src/coverage/test_repeats.ts";
import { uniqueCoverage } from "../../src/coverage/questions/unique_coverage.ts";
import { buildUniverse } from "../../src/coverage/universe.ts";
import { whichFunction, whichLine } from "../../src/coverage/questions/which_tests.ts";
import { testReference } from "../../src/report/answer_json.ts";
import {
  differenceText,
  functionAnswerText,
  lineAnswerText,
  minimalSetText,
  patchAnswerText,
  uniqueText,
} from "../../src/report/answer_text.ts";
import { coverageTree, fileTable } from "../../src/report/coverage_tables.ts";
import { lcovAggregate, lcovPerTest } from "../../src/report/lcov.ts";
import { lcovDescriptions } from "../../src/report/lcov_test_names.ts";
import { bunRunner } from "../../src/runners/bun/runner.ts";
import { denoRunner } from "../../src/runners/deno/runner.ts";
import { runnerFilter } from "../../src/runners/runner_filter.ts";
import { showTest, showText } from "../../src/report/show_text.ts";
import { testTable, totalsText, writtenText } from "../../src/report/text_table.ts";
import { buildIndex, buildRecord, smallKernel } from "../_support/images/index_builder.ts";

/** What drives a terminal or ends a line: escapes, a line end, a NUL, a C1 introducer, a turn of the text's direction. */
const EVIL = "\x1b[2J\x1b]0;x\x07\r\n\0\x9b31m\u202e";

function hostileRun(): RunCoverage {
  const index = buildIndex(
    ["a", "b"].map((name, i) => ({
      name: `${name}${EVIL}`,
      file: `fs/${name}${EVIL}.c`,
      line: 10,
      endLine: 20 + i,
    })),
    [0, 1].map((f) => ({
      offset: 0x10 + 0x10 * f,
      frames: [{ function: f, line: 10 }],
      claims: [10, 11],
    })),
  );
  const record = (name: string, offset: number, runner: string) =>
    buildRecord(index, `${name}${EVIL}`, [offset], [1], {
      file: `${name}${EVIL}.ts`,
      runner: `${runner}${EVIL}`,
      tree: { tasks: 1, refused: [{ reason: `why${EVIL}`, tasks: 1 }], finished: true },
    });
  const module = { buildId: "", firstPoint: 0, points: 0, addresses: [] };
  return new RunCoverage(buildUniverse(index), [
    record("one", 0x10, "deno"),
    record("two", 0x20, "bun"),
  ], {
    modules: [
      { ...module, name: `hit${EVIL}`, points: 1 },
      { ...module, name: `gone${EVIL}`, missing: `no file${EVIL}` },
    ],
  });
}

test("names from outside drive no terminal and end no line, in any text", () => {
  const run = hostileRun();
  const lookup = new TestLookup(run);
  const file = run.universe.image.files[0];
  const [a, b] = repeatGroups(run).map(testSide);
  const quoted = `"${
    file.replace(/[^ -~]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, "0")}`)
  }"`;
  const patch = parsePatch(`--- ${quoted}\n+++ ${quoted}\n@@ -10 +10 @@\n-a\n+b\n`);
  const texts = {
    testTable: testTable(run),
    totalsText: totalsText(run),
    fileTable: fileTable(run, { all: true }),
    coverageTree: coverageTree(run, { all: true }),
    show: showText(run, showTest(run, repeatGroups(run)[0], new SimilarTests(run).of(0, 5))),
    line: whichLine(lookup, file, 10).map((answer) => lineAnswerText(run, answer)).join(""),
    function: whichFunction(lookup, `a${EVIL}`).map((f) => functionAnswerText(run, f)).join(""),
    patch: patchAnswerText(run, whichPatch(lookup, patch)),
    difference: differenceText([EVIL, EVIL], compareCoverage(run.universe, a!, b!)),
    minimal: minimalSetText(run, minimizeTests(run)),
    unique: uniqueText(run, uniqueCoverage(run)),
    written: writtenText([{ path: EVIL, what: "x" }]),
    descriptions: lcovDescriptions(run.tests.map(({ record }) => record)),
    lcov: [...lcovAggregate(run), ...lcovPerTest(run)].join(""),
    filter: runnerFilter(denoRunner, [{ ...testReference(run, 0), file: "" }]),
  };
  for (const [what, text] of Object.entries(texts)) {
    assert.ok(text.length > 3, what);
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(text, /[\0-\x09\x0b-\x1f\x7f-\x9f\u202e]/, what);
  }
  assert.equal(texts.descriptions.split("\n").length, 2 * 2 + 1);
  assert.equal(texts.filter.split("\n").length, 1);
  // Of the LCOV each line is one that readers know.
  for (const line of texts.lcov.trimEnd().split("\n")) {
    assert.match(line, /^(?:TN|SF|FN|FNDA|FNF|FNH|DA|LF|LH):|^end_of_record$/);
  }
});

test("a filter with control characters matches the name after a shell has read it", () => {
  const [, pattern] = execFileSync("xargs", ["-n1", "printf", "%s\\n"], {
    input: runnerFilter(bunRunner, [{ name: `a${EVIL}`, file: "" }]),
    encoding: "utf8",
  }).split("\n");
  assert.match(`a${EVIL}`, new RegExp(pattern!));
});

test("one very long name pads no other row, and a pipe gets it whole", () => {
  const index = smallKernel();
  const long = "x".repeat(100_000);
  const run = new RunCoverage(buildUniverse(index), [
    buildRecord(index, "short", [0x10, 0x100]),
    buildRecord(index, long, [0x10, 0x120]),
  ]);
  const table = testTable(run);
  assert.ok(table.includes(long));
  const lookup = new TestLookup(run);
  const texts = [
    table,
    whichLine(lookup, "fs/pipe.c", 10).map((answer) => lineAnswerText(run, answer)).join(""),
    minimalSetText(run, minimizeTests(run)),
    uniqueText(run, uniqueCoverage(run)),
    writtenText([{ path: long, what: "x" }, { path: "short", what: "y" }]),
  ];
  for (const text of texts) {
    const rows = text.split("\n").filter((row) => !row.includes(long));
    assert.ok(rows.some((row) => row.includes("short")));
    assert.ok(rows.every((row) => row.length < 200), text.slice(0, 300));
  }
  assert.ok(
    testTable(run, { color: false, width: 80 }).split("\n").every((row) => row.length <= 80),
  );
});
