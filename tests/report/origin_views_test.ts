import assert from "node:assert/strict";
import { test } from "node:test";
import { whichFiles } from "../../src/coverage/questions/which_files.ts";
import { whichFunction, whichLine } from "../../src/coverage/questions/which_tests.ts";
import { TestLookup } from "../../src/coverage/questions/test_lookup.ts";
import { RunCoverage } from "../../src/coverage/run_coverage.ts";
import { repeatGroups } from "../../src/coverage/test_repeats.ts";
import { buildUniverse } from "../../src/coverage/universe.ts";
import { stretchOf } from "../../src/kcov/first_runs.ts";
import { KCOV_CALL, KCOV_CALL_COMPAT } from "../../src/kcov/origin.ts";
import { lineAnswerJson, linesAnswerJson } from "../../src/report/answer_json.ts";
import {
  filesAnswerText,
  functionAnswerText,
  lineAnswerText,
} from "../../src/report/answer_text.ts";
import { teamscaleReport } from "../../src/report/teamscale.ts";
import { jsonReport } from "../../src/report/json_report.ts";
import { originsText, originText, rowText } from "../../src/report/origins/origin_text.ts";
import { type FunctionGrouping, showJson, showTest, showText } from "../../src/report/show_text.ts";
import { displayWidth, type TextStyle } from "../../src/report/text_style.ts";
import { buildIndex, buildRecord, smallKernel } from "../_support/images/index_builder.ts";
import { CALL, origin, originRun, originsOf } from "../_support/images/origin_run.ts";

function shown(test: number, by?: FunctionGrouping, style?: TextStyle): string {
  const run = originRun();
  return showText(run, showTest(run, repeatGroups(run)[test], [], by), style);
}

test("show starts with the system calls, then page faults and what ran on behalf", () => {
  assert.equal(
    shown(0),
    `tests/made_up_test.ts: pipes
  passed in 1.0 ms; 5 functions, 11 lines (0 partly), 6 points
System calls, in the order of first run  functions  lines  points
  write(2)                                       2      6       3
  pipe2(2)                                       2      3       2
Page faults
  page fault, in a child process                 2      4       1
  left out: 1 point in runtime threads: --include runtime counts it
Lines that only this test ran: 7
  fs/pipe.c
    __do_sys_pipe2, __x64_sys_pipe2:10  12-13
    pipe_write:20  20-21,25
    pipe_read:40  43
  include/linux/mm.h
    get_page:5  7
Functions, under the call that ran them first
  write(2)
    fs/pipe.c
      pipe_write:20  4 of 4 lines (100 %)
    include/linux/mm.h
      get_page:5  3 of 3 lines (100 %)
  pipe2(2)
    fs/pipe.c
      __do_sys_pipe2, __x64_sys_pipe2:10  3 of 3 lines (100 %)
  page fault, in a child process
    fs/pipe.c
      pipe_read:40  1 of 3 lines (33.3 %)
`,
  );
  assert.match(
    shown(1),
    /^On its behalf\n {2}in softirq, for connect\(2\), close\(2\) .*\n {2}by a timer .*\n/m,
  );
});

test("show --by origin has a row for each origin, --by file the functions by folder as without calls", () => {
  const byOrigin = shown(0, "origin");
  assert.match(
    byOrigin,
    /^ {2}write\(2\) .*\n {2}pipe2\(2\) .*\n {2}write\(2\), in a child process .*\n/m,
  );
  assert.match(byOrigin, /^Functions, under the call that ran them first\n {2}write\(2\)\n/m);
  assert.match(
    shown(1, "origin"),
    /^ {2}in softirq, for connect\(2\) .*\n {2}by a timer .*\n {2}in softirq, for close\(2\) /m,
  );
  const byFile = shown(0, "file");
  assert.match(byFile, /^ {2}write\(2\) /m);
  assert.match(
    byFile,
    /^Functions, those that the fewest tests run first\n {2}fs\/pipe\.c\n {4}__do_sys_pipe2/m,
  );
});

test("of a call the file of its entry point is first, and headers are last", () => {
  const names = [
    ["inline_helper", "fs/helper.h"],
    ["inner", "fs/a.c"],
    ["__do_sys_write", "mm/entry.c"],
    ["ksys_write", "mm/entry.c"],
  ] as const;
  const index = buildIndex(
    names.map(([name, file], i) => ({ name, file, line: 10 * i + 1, endLine: 10 * i + 9 })),
    names.map((_, i) => ({
      offset: 0x10 * (i + 1),
      frames: [{ function: i, line: 10 * i + 1 }],
      claims: [10 * i + 1],
    })),
  );
  const offsets = [0x10, 0x20, 0x30, 0x40];
  const run = new RunCoverage(buildUniverse(index), [
    buildRecord(index, "a", offsets, null, {
      origins: originsOf(offsets, [[origin("own", CALL.write), offsets]]),
    }),
    buildRecord(index, "b", [0x30, 0x40], null),
  ]);
  const text = showText(run, showTest(run, repeatGroups(run)[0], []));
  assert.equal(
    text.slice(text.indexOf("Functions, under")),
    `Functions, under the call that ran them first
  write(2)
    mm/entry.c
      __do_sys_write:21  1 of 1 line (100 %)
      ksys_write:31  1 of 1 line (100 %)
    fs/a.c
      inner:11  1 of 1 line (100 %)
    fs/helper.h
      inline_helper:1  1 of 1 line (100 %)
`,
  );
});

test("functions are in the order of their first runs, where a record has it", () => {
  const names = [
    ["late", "fs/a.c", 1],
    ["first", "mm/b.c", 1],
    ["helper", "mm/b.h", 1],
    ["second", "mm/b.c", 11],
    ["between", "lib/c.c", 1],
    ["unordered", "lib/a.c", 1],
    ["other", "lib/d.c", 1],
  ] as const;
  // A stretch of code for each.
  const offsets = names.map((_, i) => 0x1000 * (i + 1));
  const index = buildIndex(
    names.map(([name, file, line]) => ({ name, file, line, endLine: line + 8 })),
    names.map(([, , line], i) => ({
      offset: offsets[i]!,
      frames: [{ function: i, line }],
      claims: [line],
    })),
  );
  const stretch = (i: number): number => stretchOf(index.base + offsets[i]! + index.callLength);
  const run = new RunCoverage(buildUniverse(index), [
    buildRecord(index, "a", offsets, null, {
      origins: originsOf(offsets, [
        [origin("own", CALL.write), offsets.slice(0, 6)],
        [origin("own", CALL.read), offsets.slice(4)],
      ]),
      firstRuns: Float64Array.of(
        stretch(6),
        stretch(1),
        stretch(2),
        stretch(4),
        stretch(3),
        stretch(0),
      ),
    }),
  ]);
  const text = showText(run, showTest(run, repeatGroups(run)[0], []));
  assert.equal(
    text.slice(text.indexOf("Functions, in")).replaceAll(/ {2}1 of 1 line.*/g, ""),
    `Functions, in the order of first run, headers last
  write(2)
    mm/b.c
      first:1
      second:11
    lib/c.c
      between:1
    fs/a.c
      late:1
    lib/a.c
      unordered:1
    mm/b.h
      helper:1
  read(2)
    lib/d.c
      other:1
`,
  );
  const json = showJson(run, showTest(run, repeatGroups(run)[0], [])) as { functions: object[] };
  assert.ok(json.functions.every((entry) => !("rank" in entry)));
});

test("a test whose calls are not known is shown as ever, and said to be so where they are asked for", () => {
  const plain = shown(2);
  assert.doesNotMatch(plain, /System calls|not known/);
  assert.match(plain, /^Functions, those that the fewest tests run first$/m);
  for (const by of ["call", "origin"] as const) {
    const lines = shown(2, by).split("\n");
    assert.equal(lines[2], "  system calls are not known: the record has none");
    lines.splice(2, 1);
    assert.equal(lines.join("\n"), plain);
  }
  assert.equal(shown(2, "file"), plain);
});

test("the table of calls fits a narrow terminal, and its names are cut with an ellipsis", () => {
  const text = shown(0, undefined, { color: false, width: 54 });
  const table = text.split("\n").slice(2, 7);
  for (const line of table) assert.ok(displayWidth(line) <= 54, line);
  assert.match(table[0], /^System calls, in the order … {2}functions {2}lines {2}points$/);
  assert.match(table[4], /^ {2}page fault, in a child pr… +2 +4 +1$/);
  assert.ok(shown(0, undefined, { color: true, width: 80 }).includes("\x1b[1mSystem calls, in"));
});

test("show --json has each origin with its class, numbers and lines", () => {
  const run = originRun();
  const json = showJson(run, showTest(run, repeatGroups(run)[1], [])) as {
    origins: Record<string, unknown>[];
    functions: Record<string, unknown>[];
  };
  assert.deepEqual(
    json.origins.map((entry) => [entry.call, entry.how, entry.class, entry.points]),
    [
      ["connect", "own", "own", 2],
      ["connect", "net", "behalf", 2],
      ["between calls", "timer", "behalf", 1],
      ["close", "net", "behalf", 1],
    ],
  );
  assert.deepEqual(json.origins[1], {
    call: "connect",
    how: "net",
    class: "behalf",
    functions: 3,
    lines: 4,
    partialLines: 1,
    points: 2,
    files: { "fs/pipe.c": "26", "include/linux/mm.h": "5-6", "net/socket.c": "5" },
  });
  assert.ok(json.functions.every((entry) => !("row" in entry)));
  const unknown = showJson(run, showTest(run, repeatGroups(run)[2], [], "call"));
  assert.ok(!("origins" in (unknown as object)));
});

test("the JSON report has of each test how much it ran from each origin, and what is left out", () => {
  const report = JSON.parse([...jsonReport(originRun())].join(""));
  for (const { leftOut } of [report, report.tests[0]]) {
    assert.deepEqual(leftOut, { only: { own: 0, behalf: 0, runtime: 1, faults: 0 }, several: 0 });
  }
  assert.equal(report.testsWithoutOrigins, 1);
  assert.deepEqual(report.counted, { classes: ["own", "behalf"], calls: [] });
  assert.deepEqual(report.tests[1].origins[1], {
    call: "connect",
    how: "net",
    class: "behalf",
    functions: 3,
    lines: 4,
    partialLines: 1,
    points: 2,
  });
  assert.deepEqual(report.tests.map((entry: object) => "origins" in entry), [true, true, false]);
  const image = smallKernel();
  const plain = new RunCoverage(buildUniverse(image), [buildRecord(image, "a", [0x10])]);
  const without = [...jsonReport(plain)].join("");
  assert.doesNotMatch(without, /rigins|leftOut|counted/);
});

test("which says through which calls a test reaches a line, a function and a file", () => {
  const run = originRun();
  const lookup = new TestLookup(run);
  const line = whichLine(lookup, "net/socket.c", 5);
  assert.equal(
    line.map((answer) => lineAnswerText(run, answer)).join(""),
    `net/socket.c:5 in sock_read
  1 of 1 point hit, by 1 test
  tests/made_up_test.ts: sockets  1 ×
    by connect(2), in softirq; by a timer
`,
  );
  const inline = whichLine(lookup, "mm.h", 6);
  assert.equal(
    inline.map((answer) => lineAnswerText(run, answer)).join(""),
    `include/linux/mm.h:6 in get_page
  2 of 2 points hit, by 2 tests
  tests/made_up_test.ts: sockets  1 ×  1 of 2 points
    by connect(2), in softirq; by close(2), in softirq
  tests/made_up_test.ts: pipes    1 ×
    by write(2); by a page fault, in a child process
`,
  );
  const reads = whichFunction(lookup, "sock_read");
  assert.equal(
    reads.map((answer) => functionAnswerText(run, answer)).join(""),
    `sock_read (net/socket.c:3)
  3 of 3 lines hit, by 2 tests
  tests/made_up_test.ts: sockets  3 lines
    by connect(2); by connect(2), in softirq; by a timer
  tests/made_up_test.ts: unknown  2 lines
`,
  );
  const file = whichFiles(run, "net/socket.c", [run.universe.image.files.indexOf("net/socket.c")]);
  assert.match(
    filesAnswerText(run, file),
    /sockets {2}3 lines\n {4}by connect\(2\); by connect\(2\), in softirq; by a timer\n/,
  );
  assert.deepEqual((lineAnswerJson(run, line[0]) as { tests: unknown[] }).tests, [{
    name: "sockets",
    file: "tests/made_up_test.ts",
    pointsHit: 1,
    count: 1,
    origins: [{ call: "connect", how: "net" }, { call: "between calls", how: "timer" }],
  }]);
  const [known, unknown] = (linesAnswerJson(run, reads[0]) as { tests: { origins?: unknown }[] })
    .tests;
  assert.deepEqual(known.origins, [
    { call: "connect", how: "own" },
    { call: "connect", how: "net" },
    { call: "between calls", how: "timer" },
  ]);
  assert.ok(!("origins" in unknown));
});

test("repeats of a test have the origins of all; where one does not know, none has", () => {
  const image = smallKernel();
  const repeat = (pass: number, offsets: number[], call: number | undefined) =>
    buildRecord(image, "repeated", offsets, null, {
      pass,
      ...call === undefined
        ? {}
        : { origins: originsOf(offsets, [[origin("own", call), offsets]]) },
    });
  const both = new RunCoverage(buildUniverse(image), [
    repeat(0, [0x100], CALL.write),
    repeat(1, [0x100, 0x200], CALL.read),
    repeat(2, [0x400], CALL.write),
  ]);
  const { rows } = showTest(both, repeatGroups(both)[0], []);
  assert.deepEqual(rows?.map((row) => [rowText("x86_64", row), row.points.length]), [
    ["write(2)", 2],
    ["read(2)", 2],
  ]);
  const [answer] = whichFunction(new TestLookup(both), "pipe_write");
  assert.deepEqual(answer.tests[0].origins, [origin("own", CALL.write), origin("own", CALL.read)]);

  const partly = new RunCoverage(buildUniverse(image), [
    repeat(0, [0x100], CALL.write),
    repeat(1, [0x100], undefined),
    repeat(2, [0x400], undefined),
  ]);
  assert.equal(showTest(partly, repeatGroups(partly)[0], []).rows, undefined);
  const [unknown] = whichFunction(new TestLookup(partly), "pipe_write");
  assert.equal(unknown.tests[0].origins, undefined);
});

test("--steady leaves points that come and go out of the origins too", () => {
  const image = smallKernel();
  const repeat = (pass: number, offsets: number[]) =>
    buildRecord(image, "repeated", offsets, null, {
      pass,
      origins: originsOf(offsets, offsets.map((offset) => [origin("own", offset >> 4), [offset]])),
    });
  const run = new RunCoverage(
    buildUniverse(image),
    [repeat(0, [0x10, 0x100]), repeat(1, [0x10, 0x200])],
    { steady: true },
  );
  assert.deepEqual(
    run.tests.map(({ origins }) => origins?.map(({ origin }) => origin)),
    [[1], [1]],
  );
});

test("origins have words for each call and each way in which work is put off", () => {
  const text = (how: Parameters<typeof origin>[0], call: number) =>
    originText("x86_64", origin(how, call));
  assert.equal(text("own", CALL.connect), "connect(2)");
  assert.equal(text("own", KCOV_CALL_COMPAT + 362), "connect(2) (32-bit)");
  assert.equal(text("own", 999), "system call 999");
  assert.equal(text("own", KCOV_CALL.none), "between calls");
  assert.equal(text("child", KCOV_CALL.exit), "exit, in a child process");
  assert.deepEqual(
    ([
      "kthread",
      "work",
      "timer",
      "rcu",
      "net",
      "ioWorker",
      "taskWork",
      "tasklet",
      "irqWork",
      "bio",
    ] as const)
      .map((how) => text(how, CALL.close)),
    [
      "by a kernel thread",
      "by a work",
      "by a timer",
      "by an RCU callback",
      "in softirq",
      "by an io_uring worker",
      "in task work",
      "by a tasklet",
      "by irq_work",
      "at the end of block I/O",
    ].map((how) => `close(2), ${how}`),
  );
  assert.equal(text("thread", CALL.read), "read(2), in another thread");
  assert.equal(text("main", KCOV_CALL.none), "between calls, in the main thread");
  assert.equal(text("timer", KCOV_CALL.none), "by a timer");
  // A kernel newer than this list.
  assert.equal(originText("x86_64", 0xf02a), "connect(2), in way 15");
});

test("of many calls the first three are named, and how many more there are", () => {
  const calls = [CALL.read, CALL.write, CALL.close, CALL.socket, CALL.connect];
  const origins = calls.map((call) => origin("own", call));
  assert.equal(originsText("x86_64", origins), "by read(2); by write(2); by close(2) and 2 more");
  assert.equal(
    originsText("x86_64", origins.slice(0, 4)),
    "by read(2); by write(2); by close(2); by socket(2)",
  );
});

test("Teamscale's message of a test says how much each call ran, and nothing where that is not known", () => {
  const { tests } = JSON.parse([...teamscaleReport(originRun())].join(""));
  assert.deepEqual(tests.map(({ message }: { message?: string }) => message), [
    "write(2): 3 points\npipe2(2): 2 points\npage fault, in a child process: 1 point",
    "connect(2): 2 points\nin softirq, for connect(2), close(2): 2 points\nby a timer: 1 point",
    undefined,
  ]);
});
