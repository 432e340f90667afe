import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { plainLines } from "../../../tests/_support/plain_coverage.ts";
import { SmallImage } from "../../../tests/_support/images/small_image.ts";
import { commandOn } from "../../../tests/_support/images/small_image_command.ts";
import { linesOf as reportedLines, RunReport } from "../src/run_report.ts";
import { start } from "../src/start.ts";
import { FakeEditor, type Item } from "./fake_editor.ts";

const SLOW = { timeout: 60_000 };
const IMAGE = new SmallImage();
after(() => IMAGE[Symbol.dispose]());
const PIPE = join(IMAGE.folder, "fs/pipe.c");
const UNIX = join(IMAGE.folder, "net/unix/af_unix.c");

const RECORDS = [
  IMAGE.record("pipe > writes", IMAGE.pcsOf("pipe_write", "pipe_poll"), { runner: "deno" }),
  IMAGE.record("pipe > reads", IMAGE.pcsOf("pipe_read", "pipe_poll")),
  IMAGE.record("unix listens", IMAGE.pcsOf("unix_listen"), { file: "tests/unix_test.ts" }),
];
const RUN = IMAGE.writeRun("coverage/kernel/run", RECORDS);
const FOLDER = dirname(dirname(dirname(RUN)));

/** kernelcov of this checkout, where `kernelcov test` only notes its arguments: recording is not what is tested here. */
const NOTED = join(IMAGE.folder, "noted");
const { command, args, options } = commandOn(IMAGE, []);
Object.assign(process.env, options.env);
const PROGRAM = join(IMAGE.folder, "kernelcov.sh");
writeFileSync(
  PROGRAM,
  `#!/bin/sh
if [ "$1" = test ]; then printf '%s\\n' "$PWD" "$@" >${NOTED}; echo "ran them"; exit 0; fi
exec ${[command, ...args].map((word) => `'${word}'`).join(" ")} "$@"
`,
  { mode: 0o755 },
);

function editor(settings: Record<string, unknown> = {}): FakeEditor {
  const fake = new FakeEditor([IMAGE.folder], {
    command: [PROGRAM],
    testFolder: FOLDER,
    ...settings,
  });
  start(fake.api, fake);
  return fake;
}

function itemsOf(fake: FakeEditor): Item[] {
  return [...fake.items].flatMap(([, file]) => [...file.children].map(([, item]) => item));
}

/** Lines of a file that a record hits, by its numbers. */
function linesOf(record: (typeof RECORDS)[number], file: string): number[] {
  return [...plainLines(IMAGE.index, record)].filter((line) => line.startsWith(`${file}:`))
    .map((line) => Number(line.slice(file.length + 1))).sort((a, b) => a - b);
}

function numbers(gutter: Record<number, number>): number[] {
  return Object.keys(gutter).map(Number);
}

test(
  "a run folder gives tests by file, and files with counts and the tests that reach them",
  SLOW,
  async () => {
    const fake = editor();
    fake.folder = dirname(RUN);
    await fake.run("openRun");
    assert.deepEqual(fake.messages, []);
    assert.deepEqual([...fake.items].map(([, { label }]) => label).sort(), [
      "tests/pipe_test.ts",
      "tests/unix_test.ts",
    ]);
    const [run] = fake.runs;
    assert.ok(run!.ended);
    const pipe = run!.coverage.find(({ uri }) => uri.fsPath === PIPE)!;
    assert.deepEqual(pipe.includesTests.map(({ label }) => label).sort(), [
      "pipe > reads",
      "pipe > writes",
    ]);
    const hit = new Set(RECORDS.flatMap((record) => linesOf(record, "fs/pipe.c")));
    assert.equal(pipe.statementCoverage.covered, hit.size);
    const gutter = await fake.gutter(run!, PIPE);
    assert.equal(pipe.statementCoverage.total, numbers(gutter).length);
    assert.deepEqual(
      numbers(gutter).filter((line) => gutter[line]! > 0),
      [...hit].sort((a, b) => a - b),
    );
    const unix = await fake.gutter(run!, UNIX);
    assert.ok(Object.values(unix).includes(0), "lines that no test runs are there too");
  },
);

test("a test that is chosen in the coverage view has its own lines only", SLOW, async () => {
  const fake = editor();
  fake.folder = dirname(RUN);
  await fake.run("openRun");
  for (const record of RECORDS.slice(0, 2)) {
    const item = itemsOf(fake).find(({ label }) => label === record.name)!;
    assert.deepEqual(
      numbers(await fake.gutter(fake.runs[0]!, PIPE, item)),
      linesOf(record, "fs/pipe.c"),
    );
  }
});

test(
  "a click on a line lists the tests that run it, and a choice shows that test's lines",
  SLOW,
  async () => {
    const fake = editor();
    const [line] = linesOf(RECORDS[1]!, "fs/pipe.c");
    const only = linesOf(RECORDS[1]!, "fs/pipe.c").find((line) =>
      !linesOf(RECORDS[0]!, "fs/pipe.c").includes(line)
    )!;
    fake.chosen = 0;
    await fake.run("testsOfLine", { uri: fake.api.Uri.file(PIPE), lineNumber: only });
    assert.deepEqual(fake.listed, ["pipe > reads"]);
    const shown = fake.runs.at(-1)!;
    assert.deepEqual(numbers(await fake.gutter(shown, PIPE)), linesOf(RECORDS[1]!, "fs/pipe.c"));
    assert.ok(line! > 0);
    // A line of no function: nothing runs it.
    await fake.run("testsOfLine", { uri: fake.api.Uri.file(PIPE), lineNumber: 1 });
    assert.deepEqual(fake.messages, ["Tests that run pipe.c:1: none"]);
  },
);

// Deno filters by the name of the outermost test.
test("the tests that reach a selection run again, by their runner and names", SLOW, async () => {
  const fake = editor({
    testOptions: ["--kernel=embedded"],
    runnerOptions: { deno: ["-A", "--no-check"] },
  });
  const lines = linesOf(RECORDS[0]!, "fs/pipe.c");
  const only = lines.find((line) => !linesOf(RECORDS[1]!, "fs/pipe.c").includes(line))!;
  fake.selection = { path: PIPE, first: only, last: only };
  await fake.run("runSelection");
  assert.deepEqual(fake.messages, []);
  const [cwd, ...noted] = readFileSync(NOTED, "utf8").trimEnd().split("\n");
  assert.equal(cwd, FOLDER);
  assert.deepEqual(noted, [
    ...[
      "test",
      `--out=${dirname(RUN)}`,
      "--kernel=embedded",
      "--",
      "deno",
      "test",
      "-A",
      "--no-check",
    ],
    ...["--filter", "/^(?:pipe)$/", "tests/pipe_test.ts"],
  ]);
  const run = fake.runs.at(-1)!;
  assert.deepEqual(run.told, ["started pipe > writes", "passed pipe > writes"]);
  assert.equal(run.output, "ran them\r\n");
  assert.ok(run.ended && run.coverage.length > 0);
  // Of the other test it is not known what runs it.
  fake.selection = { path: PIPE, first: 1, last: 100 };
  await fake.run("runSelection");
  assert.match(
    fake.runs.at(-1)!.output,
    /^1 test is left out: its record does not name its runner\r\n/,
  );
  assert.deepEqual(fake.runs.at(-1)!.told, ["started pipe > writes", "passed pipe > writes"]);
});

test("repeats of a test are one test with what all of them hit", () => {
  const one = { name: "a", file: "t.ts", durationMs: 1, kind: "test" };
  const { tests } = new RunReport({
    format: "kernelcov",
    version: 1,
    tests: [
      { ...one, outcome: "passed", files: { "a.c": "1-3" } },
      { ...one, outcome: "failed", files: { "a.c": "2,5", "b.c": "7" } },
      { ...one, runner: "bun", outcome: "passed", files: {} },
      { ...one, kind: "baseline", outcome: "passed", files: { "c.c": "1" } },
    ],
    files: [],
  });
  assert.deepEqual(tests.map(({ outcome }) => outcome), ["failed", "passed"]);
  assert.deepEqual(reportedLines(tests[0]!, "a.c"), [1, 2, 3, 5]);
  assert.deepEqual(reportedLines(tests[0]!, "b.c"), [7]);
  assert.throws(
    () => new RunReport({ format: "kernelcov", version: 2, tests: [], files: [] }),
    /version 2/,
  );
});

test("what cannot be done is a message, not an exception", SLOW, async () => {
  const fake = editor({ run: "nowhere" });
  await fake.run("showTest");
  assert.match(fake.messages[0]!, /^error: kernelcov: .*nowhere.*run the tests first/);
  await fake.run("runSelection");
  assert.equal(fake.messages[1], "error: No file is open: open a source file of the kernel");
  const none = editor({ command: ["/no/such/kernelcov"] });
  await none.run("showTest");
  assert.match(
    none.messages[0]!,
    /no\/such\/kernelcov cannot be started .*: set kernelcov\.command$/,
  );
});

test("the kernel's sources are those of the tree that is open", SLOW, async () => {
  const tree = join(IMAGE.folder, "tree");
  for (const name of ["fs", "kernel"]) mkdirSync(join(tree, name), { recursive: true });
  writeFileSync(join(tree, "Kconfig"), "");
  const fake = new FakeEditor([tree], { command: [PROGRAM], testFolder: FOLDER });
  start(fake.api, fake);
  fake.folder = dirname(RUN);
  await fake.run("openRun");
  assert.deepEqual(fake.messages, []);
  assert.ok(fake.runs[0]!.coverage.some(({ uri }) => uri.fsPath === join(tree, "fs/pipe.c")));
});
