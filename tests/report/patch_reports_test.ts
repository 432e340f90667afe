import assert from "node:assert/strict";
import { test } from "node:test";
import { missingTests } from "../../src/coverage/patch/missing_tests.ts";
import { parsePatch } from "../../src/coverage/patch/patch.ts";
import { judgePatch } from "../../src/coverage/patch/patch_verdict.ts";
import { whichPatch } from "../../src/coverage/patch/patch_tests.ts";
import { TestLookup } from "../../src/coverage/questions/test_lookup.ts";
import { RunCoverage } from "../../src/coverage/run_coverage.ts";
import { buildUniverse } from "../../src/coverage/universe.ts";
import { githubAnnotations } from "../../src/report/patch/annotations.ts";
import { lineSpans, type PatchReport, problemsOf } from "../../src/report/patch/patch_report.ts";
import { patchSarif } from "../../src/report/patch/sarif.ts";
import { verdictJson } from "../../src/report/patch/verdict_json.ts";
import { verdictMarkdown } from "../../src/report/patch/verdict_markdown.ts";
import { verdictText } from "../../src/report/patch/verdict_text.ts";
import { buildRecord, smallKernel } from "../_support/images/index_builder.ts";

const INDEX = smallKernel();
const HOSTILE = "a`b|c <i>\n::error::x";

function lookupOf(names: readonly string[]): TestLookup {
  const records = names.map((name) => buildRecord(INDEX, name, [0x100, 0x120]));
  return new TestLookup(new RunCoverage(buildUniverse(INDEX), records));
}

/** Adds lines to a file as the kernel has them. */
function adding(file: string, line: number, added: readonly string[]): string {
  return `--- a/${file}\n+++ b/${file}\n@@ -${line},0 +${line},${added.length} @@\n${
    added.map((text) => `+${text}\n`).join("")
  }`;
}

const PATCH = parsePatch(
  adding("fs/pipe.c", 20, ["one();", "two();"]) +
    adding("net/socket.c", 3, ["three();", "four();", "```five|();"]) +
    adding("net/socket.c", 20, ["six();"]) +
    adding("drivers/x:y,z%.c", 7, ["seven();", "eight();", "", "", "nine();"]) +
    adding("fs/Makefile", 1, ["obj-y += x.o"]),
);

function reportOf(names: readonly string[], more: Partial<PatchReport> = {}): PatchReport {
  const lookup = lookupOf(names);
  const verdict = judgePatch(lookup, PATCH, { side: "new" });
  return { coverage: lookup.coverage, verdict, ...more };
}

test("neighbouring lines of one state are one span", () => {
  const { verdict } = reportOf(["writes"]);
  const spans = verdict.files.flatMap(lineSpans).map(({ path, state, first, last }) =>
    `${path}:${first}-${last} ${state}`
  );
  assert.deepEqual(spans, [
    "fs/pipe.c:20-21 covered",
    "net/socket.c:3-5 uncovered",
    "net/socket.c:20-20 uncovered",
    "drivers/x:y,z%.c:7-8 not-built",
    "drivers/x:y,z%.c:11-11 not-built",
    "fs/Makefile:1-1 unjudged",
  ]);
});

test("annotations are a warning for each span that no test runs, and a notice for each file that is not built", () => {
  assert.equal(
    githubAnnotations(reportOf(["writes"])),
    "::warning file=net/socket.c,line=3,endLine=5,title=Kernel coverage::No test runs these changed lines\n" +
      "::warning file=net/socket.c,line=20,endLine=20,title=Kernel coverage::No test runs this changed line\n" +
      "::notice file=drivers/x%3Ay%2Cz%25.c,line=7,endLine=8,title=Kernel coverage::The tested kernel does not have this file\n",
  );
});

test("SARIF has a result for each annotation, with its rule", () => {
  const { version, runs: [{ tool, results }] } = JSON.parse(patchSarif(reportOf(["writes"])));
  assert.equal(version, "2.1.0");
  assert.deepEqual(
    results.map((result: {
      ruleId: string;
      ruleIndex: number;
      level: string;
      locations: [{
        physicalLocation: { artifactLocation: { uri: string }; region: { startLine: number } };
      }];
    }) => {
      assert.equal(tool.driver.rules[result.ruleIndex].id, result.ruleId);
      const { artifactLocation, region } = result.locations[0].physicalLocation;
      return [result.level, artifactLocation.uri, region.startLine];
    }),
    [
      ["warning", "net/socket.c", 3],
      ["warning", "net/socket.c", 20],
      ["note", "drivers/x%3Ay%2Cz%25.c", 7],
    ],
  );
});

test("the text and JSON have counts, tests and what is wrong", () => {
  const report = reportOf(["writes"], { minimum: 80 });
  const text = verdictText(report);
  assert.match(
    text,
    /^2 of 6 changed lines covered \(33\.3 %\); 3 not in the tested kernel; 1 that/,
  );
  assert.match(text, /net\/socket\.c\n {2}no test runs: 3-5\n/);
  assert.match(text, /1 test for it\n.*writes\n/);
  assert.match(text, /below --min-patch-lines 80\n$/);
  const json = verdictJson(report) as Record<string, unknown>;
  assert.equal(json["passed"], false);
  assert.deepEqual([json["lines"], json["covered"]], [6, 2]);
  assert.deepEqual(problemsOf(reportOf(["writes"], { minimum: 30 })), []);
});

test("names and code cannot leave their place in the Markdown", () => {
  const markdown = verdictMarkdown(reportOf([HOSTILE]));
  assert.ok(
    markdown.includes("`` x.test.ts: a`b|c <i>\\u{a}::error::x ``") ||
      markdown.includes("a`b|c <i>\\u{a}::error::x ``"),
    markdown,
  );
  assert.ok(!markdown.includes("\n::error::"));
  // Of the lines that no test runs one has a fence, so theirs is longer.
  assert.match(
    markdown,
    /````c\n {4}3 {2}three\(\);\n {4}4 {2}four\(\);\n {4}5 {2}```five\|\(\);\n````\n/,
  );
  const rows = markdown.split("\n").filter((line) => line.startsWith("|"));
  const cells = new Set(rows.map((row) => row.split(/(?<!\\)\|/).length));
  assert.equal(cells.size, 1, rows.join("\n"));
});

test("tests that should have run are in every form, and make the verdict fail", () => {
  const earlier = lookupOf(["writes", "gone"]);
  const base = reportOf(["writes"]);
  const tests = missingTests(earlier, whichPatch(earlier, PATCH.slice(0, 1)), base.coverage);
  const report = { ...base, expected: { coverage: earlier.coverage, tests } };
  assert.deepEqual(problemsOf(report), [
    "1 test that the change needs did not run, or not to the end",
  ]);
  assert.match(verdictText(report), /2 tests should have run.*\n {2}did not run {2}.*gone\n/);
  assert.match(verdictMarkdown(report), /### Should have run, and did not\n\n\* `.*gone`\n/);
  const json = verdictJson(report) as { expected: { absent: { name: string }[] } };
  assert.deepEqual(json.expected.absent.map(({ name }) => name), ["gone"]);
});
