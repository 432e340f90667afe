/** Each question about a real run of the examples, held against the run's records, read and counted plainly. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { originClass } from "../../src/coverage/origin_class.ts";
import { readRun } from "../../src/record/read_run.ts";
import { openRun } from "../../src/record/run_writer.ts";
import type { TestRecord } from "../../src/record/test_record.ts";
import { originReference } from "../../src/report/origins/origin_json.ts";
import { loadImageIndexSync } from "../../src/symbolize/index/load_index.ts";
import { runtimeName } from "../../src/sys/runtime.ts";
import { startKernelcov } from "../_support/guest_run.ts";
import { plainLines, plainPoints } from "../_support/plain_coverage.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const FOLDER = mkdtempSync(join(tmpdir(), "kernelcov-questions-"));
after(() => rmSync(FOLDER, { recursive: true }));
const RUN = join(FOLDER, "run");
const REPEATS = 2;
/** The whole records count, which hold more than what the tests caused. */
const ALL = ["--include", "runtime,faults"];

async function kernelcov(args: readonly string[]): Promise<string> {
  const env = { KERNELCOV_RUN: "", KERNELCOV_VMLINUX: "" };
  const { status, stdout, stderr } = await startKernelcov(args, { cwd: ROOT, env }).ended;
  assert.equal(status, 0, `kernelcov ${args.join(" ")}\n${stdout}\n${stderr}`);
  return stdout;
}

async function ask<Answer>(args: readonly string[]): Promise<Answer> {
  return JSON.parse(await kernelcov([...args, ...ALL, "--run", RUN, "--json"]));
}

const runner = runtimeName() === "deno" ? ["deno", "test", "-A", "--no-check"] : ["bun", "test"];
const printed = await kernelcov([
  ...["test", "--kernel", "embedded", "--repeat", `${REPEATS}`, "--out", FOLDER],
  ...[...ALL, "--", ...runner, "./examples"],
]);
const VMLINUX = (await kernelcov(["kernel", "path"])).trim();
const INDEX = loadImageIndexSync(VMLINUX);
const RECORDS = readRun(RUN).records.filter(({ kind }) => kind === undefined || kind === "test");
const LINES = RECORDS.map((record) => plainLines(INDEX, record));
const POINTS = RECORDS.map((record) => plainPoints(INDEX, record));
const NAMES = [...new Set(RECORDS.map(({ name }) => name))];
/** Indexes of the records of each test. */
const OF_NAME = NAMES.map((name) =>
  RECORDS.flatMap((record, i) => record.name === name ? [i] : [])
);

interface Named {
  name: string;
}

function sorted(tests: readonly Named[]): string[] {
  return tests.map(({ name }) => name).sort();
}

/** Names of the tests of which a record is as asked. */
function testsWhere(holds: (record: number) => boolean): string[] {
  return NAMES.filter((_, i) => OF_NAME[i]!.some(holds)).sort();
}

function unite<Value>(sets: readonly Set<Value>[]): Set<Value> {
  return new Set(sets.flatMap((set) => [...set]));
}

function intersect<Value>(sets: readonly Set<Value>[]): Set<Value> {
  return sets.reduce((all, set) => all.intersection(set));
}

/** What any repeat of test `i` hit. */
function ofTest<Value>(sets: readonly Set<Value>[], i: number): Set<Value> {
  return unite(OF_NAME[i]!.map((record) => sets[record]!));
}

function others<Value>(sets: readonly Set<Value>[], i: number): Set<Value> {
  return unite(NAMES.flatMap((_, other) => other === i ? [] : [ofTest(sets, other)]));
}

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

test("the run holds every repeat of every example, and its table says which points come and go", () => {
  assert.ok(NAMES.includes("a pipe carries bytes") && NAMES.includes("a unix socket echoes"));
  for (const [i, name] of NAMES.entries()) {
    assert.equal(OF_NAME[i]!.length, REPEATS, name);
    const points = OF_NAME[i]!.map((record) => POINTS[record]!);
    const flaky = unite(points).difference(intersect(points)).size;
    const note = flaky === 0 ? "" : `, ${flaky.toLocaleString("en")} flaky points?`;
    // Work on a test's behalf may be left at its end.
    const end = "(?:, \\d+ pending)?$";
    assert.match(printed, new RegExp(`^ *${name} .* ${REPEATS} repeats${note}${end}`, "m"));
  }
});

test("which FILE:LINE names the tests whose records hit the line", async () => {
  const all = [...unite(LINES)].sort();
  const some = all.filter((_, i) => i % Math.ceil(all.length / 5) === 0);
  const pipe = all.filter((line) => line.startsWith("fs/pipe.c:")).slice(0, 3);
  for (const line of [...some, ...pipe]) {
    const [answer] = await ask<{ tests: Named[] }[]>(["which", line]);
    assert.deepEqual(sorted(answer!.tests), testsWhere((i) => LINES[i]!.has(line)), line);
  }
});

test("which FUNCTION names the tests with a PC between the function's symbol and its end", async () => {
  const symbols = execFileSync("nm", ["-S", VMLINUX], { encoding: "utf8", maxBuffer: 1 << 28 });
  for (const name of ["pipe_read", "unix_stream_connect", "tcp_sendmsg"]) {
    const [, start, size] = new RegExp(`^(\\w+) (\\w+) [tT] ${name}$`, "m").exec(symbols)!;
    const from = parseInt(start!, 16), to = from + parseInt(size!, 16);
    const [answer] = await ask<{ tests: Named[] }[]>(["which", name]);
    const expected = testsWhere((i) => RECORDS[i]!.pcs.some((pc) => pc > from && pc <= to));
    assert.ok(expected.length > 0);
    assert.deepEqual(sorted(answer!.tests), expected, name);
  }
});

test("show gives the lines of all repeats, those that no other test ran, and what comes and goes", async () => {
  for (const name of ["a pipe carries bytes", "a unix socket echoes"]) {
    const [shown] = await ask<
      { repeats: number; files: Record<string, string>; uniqueLines: Record<string, string> }[]
    >(["show", name]);
    const i = NAMES.indexOf(name);
    assert.equal(shown!.repeats, REPEATS);
    assert.deepEqual(expand(shown!.files), ofTest(LINES, i));
    assert.deepEqual(expand(shown!.uniqueLines), ofTest(LINES, i).difference(others(LINES, i)));
    const points = OF_NAME[i]!.map((record) => POINTS[record]!);
    const [comes] = await ask<{ flaky: { hit: number }[] }[]>(["show", name, "--flaky"]);
    assert.equal(comes!.flaky.length, unite(points).difference(intersect(points)).size);
    assert.ok(comes!.flaky.every(({ hit }) => hit > 0 && hit < REPEATS));
  }
});

/** The origins of a test, in all repeats, with the points that they have in the image. */
function originsOfTest(i: number): Map<number, Set<number>> {
  const found = new Map<number, Set<number>>();
  for (const record of OF_NAME[i]!.map((at) => RECORDS[at]!)) {
    for (const { origin, points } of record.origins!) {
      const pcs = Float64Array.from(points, (point) => record.pcs[point]!);
      const own = plainPoints(INDEX, { ...record, pcs });
      if (own.size > 0) found.set(origin, unite([found.get(origin) ?? new Set(), own]));
    }
  }
  return found;
}

const KNOWS_CALLS = RECORDS.every(({ origins }) => origins !== undefined);
const CAUSED = ["own", "behalf"];

test("show and which have the calls that records have", { skip: !KNOWS_CALLS }, async () => {
  interface Origin {
    call: string;
    how: string;
    class: string;
    points: number;
  }
  const textOf = ({ call, how }: Pick<Origin, "call" | "how">): string => `${call} ${how}`;
  const machine = "x86_64";
  const symbols = execFileSync("nm", ["-S", VMLINUX], { encoding: "utf8", maxBuffer: 1 << 28 });
  const [, start, size] = /^(\w+) (\w+) [tT] tcp_v4_rcv$/m.exec(symbols)!;
  const from = parseInt(start!, 16), to = from + parseInt(size!, 16);
  const [received]: { tests: (Named & { origins: Origin[] })[] }[] = JSON.parse(
    await kernelcov(["which", "tcp_v4_rcv", "--run", RUN, "--json"]),
  );
  assert.ok(received!.tests.length > 0);
  for (const name of ["a pipe carries bytes", "a unix socket echoes"]) {
    const i = NAMES.indexOf(name);
    const [shown]: { origins: Origin[] }[] = JSON.parse(
      await kernelcov(["show", name, "--run", RUN, "--json"]),
    );
    const expected = [...originsOfTest(i)].map(([origin, points]) => ({
      ...originReference(machine, origin),
      class: originClass(origin, { machine }),
      points: points.size,
    })).filter((one) => CAUSED.includes(one.class));
    const sorted = (some: readonly Origin[]): string[] =>
      some.map((one) => `${textOf(one)} ${one.class} ${one.points}`).sort();
    assert.deepEqual(sorted(shown!.origins), sorted(expected), name);
  }
  for (const [i, name] of NAMES.entries()) {
    const reaching = [
      ...new Set(
        OF_NAME[i]!.flatMap((at) => {
          const { origins, pcs } = RECORDS[at]!;
          return origins!.filter(({ points }) =>
            points.some((point) => pcs[point]! > from && pcs[point]! <= to)
          ).map(({ origin }) => origin);
        }),
      ),
    ].filter((origin) => CAUSED.includes(originClass(origin, { machine })))
      .map((origin) => textOf(originReference(machine, origin))).sort();
    const answer = received!.tests.find((test) => test.name === name);
    assert.deepEqual((answer?.origins ?? []).map(textOf).sort(), reaching, name);
    for (const text of reaching) assert.match(text, / net$/);
  }
  const text = await kernelcov(["show", "a unix socket echoes", "--run", RUN]);
  assert.match(
    text,
    /\nSystem calls, in the order of first run .*\n(?: {2}.*\n)* {2}connect\(2\) /,
  );
});

test("diff splits the points and lines of two tests, and of two runs", async () => {
  interface Answer {
    points: unknown;
    lines: unknown;
    flakyPoints: number;
  }
  const a = NAMES.indexOf("a pipe carries bytes"), b = NAMES.indexOf("a unix socket echoes");
  const difference = await ask<Answer>(["diff", NAMES[a]!, NAMES[b]!]);
  const split = (left: Set<unknown>, right: Set<unknown>): unknown => ({
    onlyA: left.difference(right).size,
    onlyB: right.difference(left).size,
    both: left.intersection(right).size,
  });
  assert.deepEqual(difference.points, split(ofTest(POINTS, a), ofTest(POINTS, b)));
  assert.deepEqual(difference.lines, split(ofTest(LINES, a), ofTest(LINES, b)));

  const halves = [0, 1].map((half) => {
    const folder = join(FOLDER, `half${half}`);
    const { kernel } = readRun(RUN);
    using writer = openRun(folder, { kernel });
    const records: TestRecord[] = RECORDS.filter((_, i) => i % 2 === half);
    for (const record of records) writer.append(record);
    return folder;
  });
  const runs: Answer = JSON.parse(await kernelcov(["diff", ...halves, ...ALL, "--json"]));
  const sides = [0, 1].map((half) => unite(POINTS.filter((_, i) => i % 2 === half)));
  assert.deepEqual(runs.points, split(sides[0]!, sides[1]!));

  const merged = join(FOLDER, "merged");
  await kernelcov(["merge", ...halves, "--out", merged]);
  const same: Answer = JSON.parse(await kernelcov(["diff", RUN, merged, ...ALL, "--json"]));
  assert.deepEqual(same.points, { onlyA: 0, onlyB: 0, both: unite(POINTS).size });
});

test("minimize keeps every point that a test hits in all its repeats, and needs each test that it keeps", async () => {
  const steady = NAMES.map((_, i) => intersect(OF_NAME[i]!.map((record) => POINTS[record]!)));
  const { kept, redundant, points } = await ask<
    { kept: Named[]; redundant: Named[]; points: number }
  >(["minimize"]);
  const pointsOf = (tests: readonly Named[]): number =>
    unite(tests.map(({ name }) => steady[NAMES.indexOf(name)]!)).size;
  assert.equal(points, unite(steady).size);
  assert.equal(pointsOf(kept), points);
  for (const left of kept) assert.ok(pointsOf(kept.filter((test) => test !== left)) < points);
  assert.deepEqual(sorted([...kept, ...redundant]), [...NAMES].sort());
});

test("unique gives what no other test hit", async () => {
  const unique = await ask<(Named & { points: number; files: Record<string, string> })[]>([
    "unique",
  ]);
  const found = new Map(unique.map((entry) => [entry.name, entry]));
  NAMES.forEach((name, i) => {
    const points = ofTest(POINTS, i).difference(others(POINTS, i));
    assert.equal(found.get(name)?.points ?? 0, points.size, name);
    const lines = ofTest(LINES, i).difference(others(LINES, i));
    assert.deepEqual(expand(found.get(name)?.files ?? {}), lines, name);
  });
});

test("report counts the points and lines that the records hit, and LCOV has the same lines", async () => {
  const json = join(FOLDER, "report.json");
  const options = ["--json", json, "--source-prefix", "", ...ALL];
  await kernelcov(["report", RUN, "--out", FOLDER, ...options]);
  const { totals } = JSON.parse(readFileSync(json, "utf8"));
  assert.equal(totals.points, unite(POINTS).size);
  assert.equal(totals.lines, unite(LINES).size);
  const hit = new Set<string>();
  let file = "";
  for (const line of readFileSync(join(FOLDER, "lcov.info"), "utf8").split("\n")) {
    if (line.startsWith("SF:")) file = line.slice(3);
    const [, number] = /^DA:(\d+),[1-9]/.exec(line) ?? [];
    if (number !== undefined) hit.add(`${file}:${number}`);
  }
  assert.deepEqual(hit, unite(LINES));
});

/** A fix of stable Linux 6.12 that the kernel has: the lines that it added, from the first that `pattern` matches on. */
function stableFix(file: string, pattern: RegExp, count: number): string {
  const source = join(dirname(VMLINUX), "source", file);
  const lines = readFileSync(source, "utf8").split("\n");
  const first = lines.findIndex((line) => pattern.test(line)) + 1;
  assert.ok(first > 3, `${file} has no ${pattern}`);
  const part = (from: number, to: number, mark: string): string =>
    lines.slice(from - 1, to).map((line) => `${mark}${line}\n`).join("");
  const end = first + count - 1;
  return `--- a/${file}\n+++ b/${file}\n@@ -${first - 3},6 +${first - 3},${count + 6} @@\n` +
    part(first - 3, first - 1, " ") + part(first, end, "+") + part(end + 1, end + 3, " ");
}

test("patch judges fixes of stable Linux as reading them does: tested, tested in part, not built", async () => {
  interface Verdict {
    side: string;
    percent: number | null;
    files: { lines: { state: string; tests: number; text: string }[] }[];
    tests: Named[];
  }
  const judge = async (text: string): Promise<Verdict> => {
    const patch = join(FOLDER, "fix.patch");
    writeFileSync(patch, text);
    return await ask(["patch", "--diff", patch]);
  };
  // A socket that was unhashed meanwhile is looked up again: each packet of a connection comes here.
  const unhashed = stableFix("net/ipv4/inet_hashtables.c", /hlist_nulls_unhashed_lockless/, 3);
  const tested = await judge(unhashed);
  assert.equal(tested.side, "new");
  assert.equal(tested.percent, 100);
  assert.deepEqual(sorted(tested.tests), ["a TCP connection echoes"]);
  // A file with fs-verity says so to stat(2): tests ask for files, of which none has it.
  const verity = await judge(stableFix("fs/stat.c", /if \(IS_VERITY\(inode\)\)/, 2));
  const states = verity.files[0].lines.map(({ state }) => state);
  assert.match(states[0], /covered|partial/);
  assert.equal(states[1], "uncovered");
  assert.equal(verity.percent, 50);
  assert.ok(verity.tests.length > 0);
  // ntfs3 is not in the embedded kernel.
  const ntfs = await judge(
    "--- a/fs/ntfs3/index.c\n+++ b/fs/ntfs3/index.c\n@@ -599,2 +599,3 @@\n \tx;\n+\ty;\n \tz;\n",
  );
  assert.deepEqual(ntfs.files[0].lines.map(({ state }) => state), ["not-built"]);
  assert.equal(ntfs.percent, null);
});
