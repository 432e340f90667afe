import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { readRun } from "../../src/record/read_run.ts";
import { recordFiles } from "../../src/record/run_folder.ts";
import { openRun } from "../../src/record/run_writer.ts";
import type { TestOutcome } from "../../src/record/test_record.ts";
import { runtimeName } from "../../src/sys/runtime.ts";
import { withPreload } from "../../src/runners/runner_command.ts";
import { RUNNERS } from "../../src/runners/all_runners.ts";
import { parseRunnerReport } from "../../src/runners/runner_report.ts";
import { settleOutcomes } from "../../src/runners/settle_outcomes.ts";
import { originRecord } from "../_support/origin_records.ts";
import { testRecord } from "../_support/test_records.ts";

const kernel = { buildId: "ab", release: "6.1", machine: "x86_64" };

function inFolder(action: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-outcomes-"));
  try {
    action(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

type Told = readonly [file: string, name: string, outcome: TestOutcome];

function writeRecords(folder: string, told: readonly Told[]): void {
  using writer = openRun(folder, { kernel });
  for (const [file, name, outcome] of told) writer.append(testRecord({ file, name, outcome }));
}

function outcomes(folder: string): string[] {
  return readRun(folder).records.map(({ name, outcome }) => `${name}: ${outcome}`);
}

function junit(cases: string): string {
  return `<?xml version="1.0"?><testsuites name="x"><testsuite name="a.ts">${cases}</testsuite></testsuites>`;
}

test("Bun's and Deno's reports are read, suites before tests", () => {
  const bun = `<testsuites name="bun test"><testsuite name="a.ts" file="a.ts">
    <testcase name="plain" classname="" file="a.ts" line="1" />
    <testsuite name="outer" file="a.ts"><testsuite name="in &amp; ner" file="a.ts">
      <testcase name="&lt;deep&gt; &quot;x&quot; &#10;" classname="y" file="a.ts">
        <failure type="Error" message="a &gt; b">at &lt;x&gt;<![CDATA[<testcase name="no">]]></failure>
      </testcase></testsuite>
      <testcase name="later" file="a.ts"><skipped message="TODO" /></testcase>
    </testsuite></testsuite></testsuites>`;
  assert.deepEqual(parseRunnerReport(bun), [
    { file: "a.ts", name: "plain", outcome: "passed" },
    { file: "a.ts", name: 'outer > in & ner > <deep> "x" \n', outcome: "failed" },
    { file: "a.ts", name: "outer > later", outcome: "skipped" },
  ]);
  const deno = `<testsuites name="deno test"><testsuite name="./d/a.ts">
    <testcase name="t" classname="./d/a.ts"><error message="Cancelled"/></testcase>
    <testcase name="t &gt; s" classname="./d/a.ts"></testcase></testsuite>
    <testsuite name="ext:deno_node/testing.ts">
    <testcase name="n" classname="ext:deno_node/testing.ts"></testcase></testsuite></testsuites>`;
  assert.deepEqual(parseRunnerReport(deno), [
    { file: "d/a.ts", name: "t", outcome: "failed" },
    { file: "d/a.ts", name: "t > s", outcome: "passed" },
    { file: "", name: "n", outcome: "passed" },
  ]);
  assert.deepEqual(parseRunnerReport("no report"), []);
});

test("records get the outcome that the runner reported, and keep all else", () => {
  inFolder((folder) => {
    writeRecords(folder, [
      ["a.ts", "by a hook", "passed"],
      ["a.ts", "as reported", "failed"],
      ["b.ts", "by a hook", "passed"],
      ["a.ts", "todo", "failed"],
    ]);
    const before = readRun(folder).records;
    const report = join(folder, "runner.xml");
    writeFileSync(
      report,
      junit(`<testcase name="by a hook" file="a.ts"><failure/></testcase>
        <testcase name="as reported" file="a.ts"><failure/></testcase>
        <testcase name="todo" file="a.ts"><skipped/></testcase>
        <testcase name="by a hook" file="b.ts"/>`),
    );
    settleOutcomes(folder, new Set(), report);
    const { records, damaged } = readRun(folder);
    assert.equal(damaged, 0);
    assert.deepEqual(records, [{ ...before[0], outcome: "failed" }, ...before.slice(1)]);
    assert.equal(existsSync(report), false, "the report is read once");
  });
});

test("tests of one name are told by their order, attempts by the last", () => {
  inFolder((folder) => {
    writeRecords(folder, [
      ["a.ts", "same", "passed"],
      ["a.ts", "same", "passed"],
      ["a.ts", "retried", "failed"],
      ["a.ts", "retried", "passed"],
      ["a.ts", "repeated", "failed"],
      ["a.ts", "repeated", "passed"],
    ]);
    const report = join(folder, "runner.xml");
    writeFileSync(
      report,
      junit(`<testcase name="same" file="a.ts"/>
        <testcase name="same" file="a.ts"><failure/></testcase>
        <testcase name="retried" file="a.ts"/>
        <testcase name="repeated" file="a.ts"><failure/></testcase>`),
    );
    settleOutcomes(folder, new Set(), report);
    assert.deepEqual(outcomes(folder), [
      "same: passed",
      "same: failed",
      "retried: failed",
      "retried: passed",
      "repeated: failed",
      "repeated: passed",
    ]);
  });
});

test("a test that another module declares is found by its name", () => {
  inFolder((folder) => {
    writeRecords(folder, [
      ["a.ts", "same", "passed"],
      ["b.ts", "same", "passed"],
      ["b.ts", "declared elsewhere", "passed"],
    ]);
    const report = join(folder, "runner.xml");
    writeFileSync(
      report,
      junit(`<testcase name="same" file="a.ts"/>
        <testcase name="same" file="helper.ts"><failure/></testcase>
        <testcase name="declared elsewhere" file="helper.ts"><failure/></testcase>`),
    );
    settleOutcomes(folder, new Set(), report);
    assert.deepEqual(outcomes(folder), [
      "same: passed",
      "same: failed",
      "declared elsewhere: failed",
    ]);
  });
});

test("records of an earlier run, and those of no report, stay", () => {
  inFolder((folder) => {
    writeRecords(folder, [["a.ts", "one", "passed"]]);
    const report = join(folder, "runner.xml");
    settleOutcomes(folder, new Set(), report);
    writeFileSync(report, junit(`<testcase name="one" file="a.ts"><failure/></testcase>`));
    settleOutcomes(folder, new Set(recordFiles(folder)), report);
    assert.deepEqual(outcomes(folder), ["one: passed"]);
  });
});

test("what is no file of the runner's is not read, and not followed", () => {
  inFolder((folder) => {
    writeRecords(folder, [["a.ts", "one", "passed"]]);
    const target = join(folder, "elsewhere");
    writeFileSync(target, junit(`<testcase name="one" file="a.ts"><failure/></testcase>`));
    const report = join(folder, "runner.xml");
    symlinkSync(target, report);
    settleOutcomes(folder, new Set(), report);
    assert.deepEqual(outcomes(folder), ["one: passed"]);
    assert.deepEqual([existsSync(report), existsSync(target)], [false, true]);
    spawnSync("mkfifo", [report]);
    settleOutcomes(folder, new Set(), report);
    assert.equal(existsSync(report), false);
    mkdirSync(report);
    settleOutcomes(folder, new Set(), report);
    assert.equal(existsSync(report), true, "a folder is the user's");
  });
});

test("the report is asked for, unless the command asks for one", () => {
  const own = withPreload(["deno", "test", "--junit-path=x.xml"], "r.xml").command;
  assert.deepEqual(own.filter((word) => word.includes("junit")), ["--junit-path=x.xml"]);
  const theirs = withPreload(["bun", "test", "--reporter", "dots"], "r.xml").command;
  assert.equal(theirs.includes("--reporter=junit"), false);
  const dots = withPreload(["deno", "test", "--reporter=dot"], "r.xml").command;
  assert.ok(dots.includes("--junit-path=r.xml"), "Deno can do both");
  for (const runner of RUNNERS) {
    const { command } = withPreload([runner.name, "test", "a.ts"], "r.xml");
    for (const option of runner.reportArguments("r.xml")) assert.ok(command.includes(option));
    assert.equal(command.at(-1), "a.ts");
  }
});

test("this runtime's runner writes the report, and says of it nothing", () => {
  inFolder((folder) => {
    const file = join(folder, "outcomes.ts");
    writeFileSync(
      file,
      `import { afterEach, test } from "node:test";
       test("passes", () => {});
       test("fails", () => { throw new Error("x"); });`,
    );
    const report = join(folder, "r.xml");
    const run = (options: string[]) =>
      spawnSync(process.execPath, ["test", ...options, "./outcomes.ts"], {
        cwd: folder,
        encoding: "utf8",
        env: { ...process.env, NO_COLOR: "1" },
      });
    const runner = RUNNERS.find(({ name }) => name === runtimeName())!;
    const all = runner.name === "deno" ? ["-A", "--no-check"] : [];
    const told = run([...all, ...runner.reportArguments(report)]);
    const plain = run(all);
    const timeless = (text: string) => text.replaceAll(/ ?[[(][\d.]+(µs|ms|s)[\])]/g, "");
    assert.equal(timeless(told.stdout), timeless(plain.stdout));
    assert.equal(timeless(told.stderr), timeless(plain.stderr));
    writeRecords(join(folder, "run"), [["outcomes.ts", "fails", "passed"]]);
    settleOutcomes(join(folder, "run"), new Set(), report);
    assert.deepEqual(outcomes(join(folder, "run")), ["fails: failed"]);
  });
});

test("late work still belongs to a record whose outcome the runner reported", () => {
  inFolder((folder) => {
    {
      using writer = openRun(folder, { kernel });
      const parts = { file: "a.ts", name: "by a hook" };
      const number = writer.append(originRecord({ 1: [16] }, parts));
      writer.addLate(number, {
        pcs: Float64Array.of(32),
        origins: [{ origin: 0x3001, points: Uint32Array.of(0) }],
        pending: 0,
        dropped: 0,
        truncated: false,
      });
    }
    const report = join(folder, "report.xml");
    writeFileSync(
      report,
      junit('<testcase name="by a hook" classname="a.ts"><failure/></testcase>'),
    );
    settleOutcomes(folder, new Set(), report);
    const { records, damaged } = readRun(folder);
    assert.equal(damaged, 0);
    assert.deepEqual(records.map(({ outcome, pcs }) => [outcome, ...pcs]), [["failed", 16, 32]]);
  });
});

test("of tests of one name in several record files, those of the file that was begun first come first", async () => {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-outcomes-"));
  try {
    for (const [place, outcome] of [["z", "passed"], ["a", "failed"]] as const) {
      const before = new Set(recordFiles(folder));
      writeRecords(folder, [["joined.ts", "same", outcome]]);
      const [written] = recordFiles(folder).filter((name) => !before.has(name));
      renameSync(join(folder, written), join(folder, `${place}.records`));
      // Their order is told in milliseconds.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const report = join(folder, "report.xml");
    const failure = `<testcase name="same" classname="b.ts"><failure message=""/></testcase>`;
    writeFileSync(report, junit(`<testcase name="same" classname="a.ts"/>${failure}`));
    settleOutcomes(folder, new Set(), report);
    assert.deepEqual(outcomes(folder), ["same: passed", "same: failed"]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
