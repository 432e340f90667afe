import assert from "node:assert/strict";
import type { SpawnSyncReturns } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { KCOV_HOW } from "../../src/kcov/origin.ts";
import { plainLines, plainPoints } from "../_support/plain_coverage.ts";
import { SmallImage } from "../_support/images/small_image.ts";
import { runCommandOn } from "../_support/images/small_image_command.ts";
import { parseLcov } from "../_support/lcov_judges.ts";

const IMAGE = new SmallImage();
after(() => IMAGE[Symbol.dispose]());

const RECORDS = [
  IMAGE.record("pipe > writes", IMAGE.pcsOf("pipe_write", "pipe_poll")),
  IMAGE.record("pipe > reads", IMAGE.pcsOf("pipe_read", "pipe_poll")),
  IMAGE.record("unix listens", IMAGE.pcsOf("unix_listen", "pipe_poll"), {
    file: "tests/unix_test.ts",
  }),
  IMAGE.record("pipe > writes little", IMAGE.pcsOf("pipe_write").slice(0, 2)),
];
const RUN = IMAGE.writeRun("run", RECORDS);
const LINES = RECORDS.map((record) => plainLines(IMAGE.index, record));
const POINTS = RECORDS.map((record) => plainPoints(IMAGE.index, record));

function kernelcov(args: readonly string[], input?: string): SpawnSyncReturns<string> {
  return runCommandOn(IMAGE, args, input);
}

function ask(args: readonly string[], input?: string): string {
  const { status, stdout, stderr } = kernelcov([...args, "--run", RUN], input);
  assert.equal(stderr, "");
  assert.equal(status, 0);
  return stdout;
}

function askJson<T>(args: readonly string[], input?: string): T {
  return JSON.parse(ask([...args, "--json"], input));
}

interface Named {
  name: string;
}

function names(tests: readonly Named[]): string[] {
  return tests.map(({ name }) => name).sort();
}

/** Names of the tests whose records hit a line. */
function testsOf(line: string): string[] {
  return names(RECORDS.filter((_, i) => LINES[i]!.has(line)));
}

/** A diff of the image's `file` that puts `added` in the place of line `line`. */
function patchOf(file: string, line: number, added: string): string {
  const lines = readFileSync(join(IMAGE.folder, file), "utf8").split("\n");
  return `--- a/${file}\n+++ b/${file}\n@@ -${line - 1},3 +${line - 1},3 @@\n ${
    lines[line - 2]
  }\n-${lines[line - 1]}\n+${added}\n ${lines[line]}\n`;
}

test("which FILE:LINE gives the tests whose records hit the line", () => {
  const all = [...new Set(LINES.flatMap((lines) => [...lines]))].sort();
  for (const line of all.filter((_, i) => i % 3 === 0)) {
    const [answer] = askJson<{ state: string; tests: Named[] }[]>(["which", line]);
    assert.deepEqual(names(answer!.tests), testsOf(line), line);
  }
  assert.match(ask(["which", "pipe.c:22"]), /^fs\/pipe\.c:22 in pipe_poll\n.*by 3 tests\n/);
  const [never] = askJson<{ state: string }[]>(["which", "net/unix/af_unix.c:10"]);
  assert.equal(never!.state, "uncovered");
});

test("which FUNCTION gives the tests that enter it, plain and as a runner's filter", () => {
  const [answer] = askJson<{ tests: Named[] }[]>(["which", "pipe_write"]);
  const own = Array.from({ length: 8 }, (_, i) => testsOf(`fs/pipe.c:${6 + i}`)).flat();
  assert.deepEqual(names(answer!.tests), [...new Set(own)].sort());
  assert.equal(
    ask(["which", "pipe_write", "--plain"]),
    "tests/pipe_test.ts: pipe > writes\ntests/pipe_test.ts: pipe > writes little\n",
  );
  assert.equal(
    ask(["which", "unix_listen", "--filter", "bun"]),
    "--test-name-pattern '^(?:unix listens)$' tests/unix_test.ts\n",
  );
  assert.equal(
    ask(["which", "pipe_read", "--filter", "deno"]),
    "--filter '/^(?:pipe)$/' tests/pipe_test.ts\n",
  );
  const unknown = kernelcov(["which", "no_such", "--run", RUN]);
  assert.equal(unknown.status, 2);
  assert.match(unknown.stderr, /no function and no file "no_such"/);
});

test("show and which say through which calls, where records know them", () => {
  const own = IMAGE.pcsOf("pipe_write", "pipe_poll");
  const record = IMAGE.record("pipe > writes", own, {
    hits: null,
    origins: [
      { origin: 1, points: Uint32Array.from(own.keys()) },
      { origin: 0x1000 * KCOV_HOW.work + 1, points: Uint32Array.of(0) },
    ],
  });
  const run = IMAGE.writeRun("calls", [record, RECORDS[1]!]);
  const answer = (...args: string[]): string => {
    const { stdout, stderr, status } = kernelcov([...args, "--run", run]);
    assert.equal(stderr, "");
    assert.equal(status, 0);
    return stdout;
  };
  const shown = answer("show", "writes");
  assert.match(shown, /\n {2}write\(2\) .*\nOn its behalf\n {2}by a work, for write\(2\) .*\n/);
  assert.match(shown, /\nFunctions, under the call that ran them first\n {2}write\(2\)\n/);
  assert.match(answer("show", "writes", "--by", "origin"), /\n {2}by a work, for write\(2\) .*\n/);
  assert.match(
    answer("show", "writes", "--by", "file"),
    /\nFunctions, those that the fewest tests run first\n/,
  );
  assert.match(answer("show", "reads", "--by", "call"), /\n {2}system calls are not known: /);
  assert.match(
    answer("which", "pipe_write"),
    /\n {4}by write\(2\)(?:; by write\(2\), by a work)?\n/,
  );
  const [json] = JSON.parse(answer("which", "pipe_write", "--json"));
  assert.deepEqual(json.tests[0].origins[0], { call: "write", how: "own" });
  const wrong = kernelcov(["show", "writes", "--by", "functions", "--run", run]);
  assert.equal(wrong.status, 2);
  assert.match(wrong.stderr, /Unknown --by "functions": use file, call or origin\n/);
});

test("which --diff gives the tests that a patch needs, and no other", () => {
  const patch = patchOf("fs/pipe.c", 17, "\t\tcount = pipe_poll(count - 2);");
  for (const args of [["which"], ["which", "--diff", "-"]]) {
    const answer = askJson<{ tests: Named[]; runAll: unknown[]; hunks: { verified: boolean }[] }>(
      args,
      patch,
    );
    assert.deepEqual(names(answer.tests), ["pipe > reads"]);
    assert.deepEqual(answer.runAll, []);
    assert.equal(answer.hunks[0]!.verified, true);
  }
  assert.equal(ask(["which", "--plain"], patch), "tests/pipe_test.ts: pipe > reads\n");
  const unix = patchOf("net/unix/af_unix.c", 6, "\treturn pipe_poll(backlog + 1);");
  assert.equal(ask(["which", "--plain"], unix), "tests/unix_test.ts: unix listens\n");
  const never = patchOf("net/unix/af_unix.c", 10, "\treturn 0;");
  assert.match(ask(["which"], never), /uncovered {2}no test enters the function/);
});

test("which --diff answers run all where it cannot judge, with the reason on standard error", () => {
  const patch = "--- a/fs/Kconfig\n+++ b/fs/Kconfig\n@@ -1 +1 @@\n-a\n+b\n";
  const { status, stdout, stderr } = kernelcov(["which", "--plain", "--run", RUN], patch);
  assert.equal(status, 0);
  assert.equal(stdout.trimEnd().split("\n").length, RECORDS.length);
  assert.match(stderr, /fs\/Kconfig: Kconfig decides/);
  assert.equal(kernelcov(["which", "--run", RUN], "not a patch").status, 1);
});

test("show gives a test's lines, what only it ran, and similar tests", () => {
  const [shown] = askJson<
    { files: Record<string, string>; uniqueLines: Record<string, string>; similar: Named[] }[]
  >(["show", "unix listens"]);
  assert.deepEqual(expand(shown!.files), LINES[2]);
  const others = new Set(LINES.filter((_, i) => i !== 2).flatMap((lines) => [...lines]));
  assert.deepEqual(expand(shown!.uniqueLines), LINES[2]!.difference(others));
  assert.deepEqual(
    expand(Object.fromEntries(
      ask(["show", "pipe > reads", "--plain"]).trimEnd().split("\n").map((l) => l.split(":")),
    )),
    LINES[1],
  );
  assert.match(ask(["show", "reads"]), /pipe_read:\d+ {2}\d of \d lines/);
  const ambiguous = kernelcov(["show", "pipe", "--run", RUN]);
  assert.equal(ambiguous.status, 2);
  assert.match(ambiguous.stderr, /3 tests have "pipe"/);
});

function expand(files: Record<string, string>): Set<string> {
  return new Set(
    Object.entries(files).flatMap(([file, ranges]) =>
      ranges.split(",").flatMap((range) => {
        const [first, last = first] = range.split("-").map(Number);
        return Array.from({ length: last! - first! + 1 }, (_, i) => `${file}:${first! + i}`);
      })
    ),
  );
}

test("diff of two tests and of two runs splits their points", () => {
  const difference = askJson<{ points: unknown; lines: unknown }>(["diff", "unix", "pipe > reads"]);
  for (const [what, sets] of [["points", POINTS], ["lines", LINES]] as const) {
    const [a, b] = [new Set<unknown>(sets[2]), new Set<unknown>(sets[1])];
    assert.deepEqual(difference[what], {
      onlyA: a.difference(b).size,
      onlyB: b.difference(a).size,
      both: a.intersection(b).size,
    });
  }
  const other = IMAGE.writeRun("other", RECORDS.slice(1, 3));
  const { stdout } = kernelcov(["diff", RUN, other, "--json"]);
  const only = unite(POINTS).difference(unite(POINTS.slice(1, 3)));
  assert.equal(JSON.parse(stdout).points.onlyA, only.size);
  assert.equal(kernelcov(["diff", RUN, "unix", "--run", RUN]).status, 2);
});

function unite(sets: readonly Set<number>[]): Set<number> {
  return new Set(sets.flatMap((set) => [...set]));
}

test("minimize keeps all points with fewer tests; unique names the tests that matter", () => {
  const set = askJson<{ kept: Named[]; redundant: Named[]; points: number }>(["minimize"]);
  assert.deepEqual(names(set.redundant), ["pipe > writes little"]);
  assert.equal(set.points, unite(POINTS).size);
  assert.match(ask(["minimize"]), /^3 of 4 tests hit all \d+ points\n/);
  const unique = askJson<(Named & { points: number })[]>(["unique"]);
  for (const { name, points } of unique) {
    const test = RECORDS.findIndex((record) => record.name === name);
    const others = unite(POINTS.filter((_, i) => i !== test));
    assert.equal(points, POINTS[test]!.difference(others).size);
  }
  assert.equal(unique.length, 3);
});

test("merge makes one run of several, and never adds to a run that is there", () => {
  const first = IMAGE.writeRun("first", RECORDS.slice(0, 1));
  const second = IMAGE.writeRun("second", RECORDS.slice(1));
  const out = join(IMAGE.folder, "merged");
  assert.equal(kernelcov(["merge", first, second, "--out", out]).status, 0);
  assert.equal(kernelcov(["merge", first, "--out", out]).status, 2);
  const { stdout } = kernelcov(["minimize", "--run", out]);
  assert.equal(stdout, ask(["minimize"]));
});

test("report writes every format, and each says the same", async () => {
  const out = join(IMAGE.folder, "out");
  const file = (name: string): string => join(out, name);
  const { status, stderr, stdout } = kernelcov([
    ...["report", RUN, "--out", out, "--lcov", file("a.info.gz"), "--json", file("a.json")],
    ...["--cobertura", file("a.xml"), "--syzkaller", file("a.pcs"), "--tree", "--text"],
    ...["--html", file("html"), "--min-lines", "fs/pipe.c=50"],
  ]);
  assert.equal(stderr, "");
  assert.equal(status, 0);
  assert.match(stdout, /fs\/pipe\.c +\| +100\.00 \|/);
  const covered = new Set(LINES.flatMap((lines) => [...lines]));
  const lcov = await parseLcov(gunzipSync(readFileSync(file("a.info.gz"))).toString());
  const hit = lcov.flatMap(({ file, lines }) =>
    lines.details.filter(({ hit }) => hit > 0)
      .map(({ line }) => `${file.slice(IMAGE.folder.length + 1)}:${line}`)
  );
  assert.deepEqual(new Set(hit), covered);
  assert.equal(JSON.parse(readFileSync(file("a.json"), "utf8")).totals.lines, covered.size);
  assert.match(readFileSync(file("a.xml"), "utf8"), new RegExp(`lines-covered="${covered.size}"`));
  const pcs = readFileSync(file("a.pcs"), "utf8").trimEnd().split("\n").map(Number);
  const expected = new Set(RECORDS.flatMap(({ pcs }) => [...pcs]));
  assert.deepEqual(new Set(pcs), expected);
  assert.ok(readdirSync(file("html")).includes("index.html"));
});

test("report --html removes what an earlier report left there, and nothing else", () => {
  const out = join(IMAGE.folder, "out");
  const html = join(IMAGE.folder, "pages");
  const patch = join(IMAGE.folder, "change.patch");
  writeFileSync(patch, patchOf("fs/pipe.c", 17, "\t\tcount = pipe_poll(count - 2);"));
  const report = ["report", RUN, "--out", out, "--html", html];
  assert.equal(kernelcov(report).status, 0);
  const first = readdirSync(join(html, "data")).sort();
  assert.equal(kernelcov([...report, "--patch", patch]).status, 0);
  assert.deepEqual(readdirSync(join(html, "data")).sort(), [...first, "patch.js"].sort());
  // A file of a larger report, and files that are like one in name or in text only.
  const others = { "f999.js": 'kernelcov.put("f99", 0)', "t999.js": "", "f2.txt": "mine" };
  writeFileSync(join(html, "data/f998.js"), 'kernelcov.put("f998", {});\n');
  for (const [name, text] of Object.entries(others)) writeFileSync(join(html, "data", name), text);
  writeFileSync(join(html, "f3.js"), 'kernelcov.put("f3", {});\n');
  assert.equal(kernelcov(report).status, 0);
  assert.deepEqual(
    readdirSync(join(html, "data")).sort(),
    [...first, ...Object.keys(others)].sort(),
  );
  assert.ok(readdirSync(html).includes("f3.js"));
});

test("report ends with its own exit status where too few lines are covered", () => {
  const out = join(IMAGE.folder, "out");
  const { status, stderr } = kernelcov(["report", RUN, "--out", out, "--min-lines", "99"]);
  assert.equal(status, 4);
  assert.match(stderr, /All files: \d+ of \d+ lines covered \(.*\), below --min-lines 99/);
  assert.equal(kernelcov(["report", RUN, "--out", out, "--min-lines", "x"]).status, 2);
});

test("report --html has no file from outside the source tree, whatever the image names", () => {
  using hostile = new SmallImage({
    "../outside/secret.c": "int secret_function(int x)\n{\n\treturn x + 1;\n}\n",
  });
  const run = hostile.writeRun("run", [hostile.record("a", hostile.pcsOf("secret_function"))]);
  const html = join(hostile.folder, "html");
  const { status, stderr } = kernelcov(
    [
      "report",
      run,
      "--out",
      join(hostile.folder, "out"),
      "--html",
      html,
      "--vmlinux",
      hostile.path,
    ],
  );
  assert.equal(stderr, "");
  assert.equal(status, 0);
  const pages = readdirSync(join(html, "data")).map((name) =>
    readFileSync(join(html, "data", name), "utf8")
  );
  assert.ok(pages.some((text) => text.includes("secret.c")));
  assert.ok(pages.every((text) => !text.includes("return x + 1")));
  assert.ok(pages.some((text) => text.includes("no source: 1 file of 3 files")));
});

test("which PATH gives the tests that run any line of files, folders and patterns", () => {
  for (
    const [places, prefix] of [
      [["fs"], "fs/"],
      [["fs/"], "fs/"],
      [["./net/unix"], "net/"],
      [["unix"], "net/"],
      [["fs/pipe.c"], "fs/"],
      [["af_unix.c"], "net/"],
      [["*_unix.c"], "net/"],
      [["net/**"], "net/"],
      [["*/*/af_?nix.c"], "net/"],
      [["fs/pipe.c", "net/unix/af_unix.c"], ""],
      [["."], ""],
      [[join(IMAGE.folder, "fs")], "fs/"],
    ] as const
  ) {
    const [answer] = askJson<
      { files: string[]; lines: number; tests: (Named & { lines: number })[] }[]
    >(
      ["which", ...places],
    );
    assert.ok(answer!.files.every((file) => file.startsWith(prefix)), String(places));
    const expected = RECORDS.map(({ name }, i) => ({
      name,
      lines: [...LINES[i]!].filter((line) => line.startsWith(prefix)).length,
    })).filter(({ lines }) => lines > 0);
    assert.deepEqual(
      answer!.tests.map(({ name, lines }) => ({ name, lines })).sort((a, b) =>
        a.name < b.name ? -1 : 1
      ),
      expected.sort((a, b) => a.name < b.name ? -1 : 1),
      String(places),
    );
  }
  assert.match(ask(["which", "fs"]), /^fs\/pipe\.c\n {2}\d+ of \d+ lines hit, by 4 tests\n/);
  assert.match(ask(["which", "."]), /^\. \(2 files\)\n/);
  for (const place of ["fs/ext4", "*.rs", "sf/"]) {
    const { status, stderr } = kernelcov(["which", place, "--run", RUN]);
    assert.equal(status, 2);
    assert.match(stderr, /The image has no function and no file/);
  }
});

test("an empty patch says that it is empty", () => {
  for (const args of [["which"], ["which", "--plain"], ["which", "--filter", "bun"]]) {
    const { status, stdout, stderr } = kernelcov([...args, "--run", RUN], "");
    assert.deepEqual([status, stdout], [0, ""]);
    assert.match(stderr, /The patch is empty: nothing changes, so no test is needed/);
  }
});

test("--filter names the tests of its runner, and says how many others there are", () => {
  const pcs = IMAGE.pcsOf("pipe_write");
  const run = IMAGE.writeRun("runners", [
    IMAGE.record("in deno", pcs, { runner: "deno", file: "deno_test.ts" }),
    IMAGE.record("in bun", pcs, { runner: "bun", file: "bun.test.ts" }),
    IMAGE.record("anywhere", pcs, { file: "any_test.ts" }),
  ]);
  const { stdout, stderr } = kernelcov(["which", "pipe_write", "--filter", "deno", "--run", run]);
  assert.equal(stdout, "--filter '/^(?:in deno|anywhere)$/' deno_test.ts any_test.ts\n");
  assert.match(stderr, /1 test of another runner is left out: --filter bun has it/);
});

test("repeats have one row, show --flaky lists what comes and goes, --steady leaves it out", () => {
  const [first, ...rest] = IMAGE.pcsOf("pipe_write");
  IMAGE.writeRun("repeats", [
    IMAGE.record("a", [first!, rest[0]!]),
    IMAGE.record("twice", [first!]),
  ]);
  const run = IMAGE.writeRun("repeats", [
    IMAGE.record("a", [first!]),
    IMAGE.record("twice", [first!]),
    IMAGE.record("twice", rest),
  ]);
  const report = (...args: string[]): string =>
    kernelcov(["report", run, "--out", join(IMAGE.folder, "repeats-out"), ...args]).stdout;
  assert.match(report(), /^ {2}a +passed.* 2 repeats, 1 flaky point$/m);
  assert.match(report(), /^ {2}twice +passed.* 2 repeats\n {2}twice #2 +passed.*\d$/m);
  assert.match(report("--steady"), /^ {2}a +passed.* 2 repeats$/m);
  assert.match(report("--steady"), /left out: 1 point hit in some repeats only/);
  const flaky = kernelcov(["show", "a", "--flaky", "--run", run]);
  assert.match(
    flaky.stdout,
    /a: 1 flaky point in 2 repeats\n {2}fs\/pipe\.c:\d+ pipe_write +1 of 2\n/,
  );
  const [json] = JSON.parse(kernelcov(["show", "a", "--flaky", "--json", "--run", run]).stdout);
  assert.deepEqual([json.repeats, json.flaky.length, json.flaky[0].hit], [2, 1, 1]);
  const once = kernelcov(["show", "twice #2", "--flaky", "--run", run]);
  assert.equal(once.status, 2);
  assert.match(once.stderr, /was run once/);
});
