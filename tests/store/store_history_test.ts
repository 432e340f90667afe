import assert from "node:assert/strict";
import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import { readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { LineMap } from "../../src/coverage/history/line_map.ts";
import { readRun } from "../../src/record/read_run.ts";
import type { TestRecord } from "../../src/record/test_record.ts";
import { RunProjector } from "../../src/run/stores/project_run.ts";
import { runtimeName } from "../../src/sys/runtime.ts";
import { SmallImage } from "../_support/images/small_image.ts";
import { temporaryFolder } from "./stored_runs.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const PIPE = "fs/pipe.c";
const SOCKET = "net/unix/af_unix.c";

function ended(cwd: string, ...args: readonly string[]): SpawnSyncReturns<string> {
  const runtime = runtimeName() === "deno" ? ["run", "-A", "--no-check"] : [];
  const env = { ...process.env, XDG_CACHE_HOME: join(cwd, "cache") };
  const options = { cwd, encoding: "utf8", env } as const;
  return spawnSync(process.execPath, [...runtime, MAIN, ...args], options);
}

function kernelcov(cwd: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = ended(cwd, ...args);
  assert.equal(status, 0, `kernelcov ${args.join(" ")}\n${stdout}\n${stderr}`);
  return stdout;
}

/** Two lines more at the top, and a changed one in `pipe_write`. */
function changed(before: SmallImage): SmallImage {
  const text = readFileSync(join(before.folder, PIPE), "utf8");
  return new SmallImage({
    [PIPE]: `/* Pipes. */\n\n${text.replace("pipe_poll(count) + 1;", "pipe_poll(count) + 2;")}`,
  });
}

test("lines of a text are found in a later one, and changed ones are not", () => {
  const map = new LineMap("a\nb\nc\nd\n", "new\na\nB\nc\nd\nmore\n");
  assert.deepEqual([1, 2, 3, 4, 5, 9].map((line) => map.lineOf(line)), [2, 0, 4, 5, 7, 0]);
  assert.equal(new LineMap("a\n", "a\n").lineOf(1), 1);
});

test("what lost its coverage between two builds is found through the differences of their sources", () => {
  using before = new SmallImage();
  using after = changed(before);
  using folder = temporaryFolder();
  const { path } = folder;
  const old = before.writeRun("run", [
    before.record("writes", before.pcsOf("pipe_write", "unix_listen")),
    before.record("reads", before.pcsOf("pipe_read", "pipe_poll")),
    before.record("listens", before.pcsOf("unix_listen")),
    before.record("goes", before.pcsOf("pipe_poll")),
  ], before.path);
  const now = after.writeRun("run", [
    after.record("writes", after.pcsOf("pipe_write")),
    after.record("reads", after.pcsOf("pipe_poll")),
    after.record("listens", after.pcsOf("unix_listen", "unix_never")),
    after.record("comes", after.pcsOf("pipe_poll")),
  ], after.path);
  kernelcov(path, "store", "add", "old.store", old);
  kernelcov(path, "store", "add", "new.store", now);
  const text = readFileSync(join(after.folder, PIPE), "utf8").split("\n");
  const first = text.indexOf("int pipe_read(int count)") + 1;
  const ask = (...more: readonly string[]): string =>
    kernelcov(path, "store", "history", "old.store", "new.store", ...more);
  for (const driver of [[], ["--driver", "duckdb"]]) {
    const { builds, files, functions, steps: [step] } = JSON.parse(ask("--json", ...driver));
    assert.deepEqual(builds.map(({ name }: { name: string }) => name), ["old.store", "new.store"]);
    assert.deepEqual(
      builds.map(({ buildId }: { buildId: string }) => buildId),
      [before.index.buildId, after.index.buildId],
    );
    // Every line of pipe_read, by its new number, and nothing else: pipe_write and pipe_poll are run in both.
    assert.ok(step.lost.length >= 3);
    for (const { file, line, before: old, functions, tests } of step.lost) {
      assert.equal(file, PIPE);
      assert.ok(line >= first && line <= first + 5, `${line}`);
      assert.equal(old, line - 2);
      assert.deepEqual(functions, ["pipe_read"]);
      assert.deepEqual(tests, [{ name: "reads", file: "tests/pipe_test.ts" }]);
    }
    // The line that was changed ran in both builds, and is none of the others.
    assert.deepEqual(step.notCompared, {
      "changed": 1,
      "no-points": 0,
      "no-file": 0,
      "no-source": 0,
    });
    const byName = Object.fromEntries(
      step.changedTests.map(({ name, ...rest }: { name: string }) => [name, rest]),
    );
    assert.deepEqual(Object.keys(byName).sort(), ["listens", "reads", "writes"]);
    assert.deepEqual(byName.listens.lost, {});
    assert.deepEqual(Object.keys(byName.listens.gained), [SOCKET]);
    assert.equal(byName.listens.changedLines, 0);
    assert.deepEqual(byName.reads.gained, {});
    assert.deepEqual(Object.keys(byName.reads.lost), [PIPE]);
    assert.equal(byName.reads.changedLines, 0);
    // In the older build and in the newer one.
    assert.equal(byName.writes.changedLines, 2);
    assert.equal(step.changedTests.at(-1).name, "writes");
    assert.deepEqual(step.gone.map(({ name }: { name: string }) => name), ["goes"]);
    assert.deepEqual(step.added.map(({ name }: { name: string }) => name), ["comes"]);
    const shares = (list: { file: string; function?: string; shares: { linesHit: number }[] }[]) =>
      Object.fromEntries(
        list.map(({ file, function: name, shares }) => [
          name ?? file,
          shares.map((share) => share?.linesHit),
        ]),
      );
    const [read, none] = shares(functions).pipe_read;
    assert.ok(read > 0 && none === 0);
    assert.ok(shares(files)[SOCKET][1] > shares(files)[SOCKET][0]);
  }
  const said = ask();
  assert.match(said, /fs\/pipe\.c:[\d,-]+ in pipe_read\n +ran in tests\/pipe_test\.ts: reads\n/);
  assert.match(
    said,
    /tests\/pipe_test\.ts: reads\n +\d+ lines less in pipe_read; nothing that it runs was changed\n/,
  );
  assert.match(said, /1 test not there any more: tests\/pipe_test\.ts: goes\n/);
  // Runs will do, and a build with itself has nothing to say.
  const { steps: [same] } = JSON.parse(
    kernelcov(path, "store", "history", "old.store", old, "--json"),
  );
  assert.deepEqual([same.lost, same.changedTests, same.gone, same.added], [[], [], [], []]);
});

test("runs of another build are added by their lines, and what has no counterpart is counted", () => {
  using before = new SmallImage();
  using after = changed(before);
  using folder = temporaryFolder();
  const { path } = folder;
  const origins = (pcs: readonly number[]): Partial<TestRecord> => {
    const points = Uint32Array.from(pcs.keys());
    return { origins: [{ origin: 1, points, hits: points.map((at) => at + 1) }] };
  };
  const reading = before.pcsOf("pipe_read"), writing = before.pcsOf("pipe_write", "unix_listen");
  const record = (name: string, pcs: readonly number[], more: Partial<TestRecord> = {}) =>
    before.record(name, pcs, {
      ...origins(pcs),
      hits: Uint32Array.from(pcs, (_, at) => at + 1),
      ...more,
    });
  const old = before.writeRun("run", [
    record("reads", reading, { firstRuns: Float64Array.of(1024) }),
    record("writes", writing),
    record("in a module", [...reading, 2 ** 50 + 8]),
  ], before.path);
  const now = after.writeRun("run", [after.record("polls", after.pcsOf("pipe_poll"))], after.path);

  const projector = new RunProjector({ kernel: readRun(now).kernel, image: after.path });
  const { run, kept, lost, buildId } = projector.project(readRun(old));
  assert.equal(buildId, before.index.buildId);
  const of = (name: string): TestRecord => run.records.find((one) => one.name === name)!;
  // All of a function that was moved, in its order, with its counts and origins; nothing of where it lay.
  assert.deepEqual([...of("reads").pcs], after.pcsOf("pipe_read"));
  assert.deepEqual([...of("reads").hits!], reading.map((_, at) => at + 1));
  assert.deepEqual([...of("reads").origins![0].hits!], reading.map((_, at) => at + 1));
  assert.equal(of("reads").truncated, false);
  assert.equal(of("reads").firstRuns, undefined);
  // Of the function with a changed line what is on other lines.
  const expected = new Set(after.pcsOf("pipe_write", "unix_listen"));
  assert.ok(of("writes").pcs.every((pc) => expected.has(pc)));
  assert.ok(of("writes").pcs.length < writing.length && of("writes").truncated);
  assert.deepEqual([...of("in a module").pcs], after.pcsOf("pipe_read"));
  assert.ok(of("in a module").truncated);
  const all = 2 * reading.length + writing.length + 1;
  assert.equal(kept + lost, all);
  assert.equal(lost, 1 + writing.length - of("writes").pcs.length);

  kernelcov(path, "store", "add", "s", now);
  const refused = ended(path, "store", "add", "s", old);
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /build id \w+\): add it to a store of its own, or with --by-line/);
  const said = `projected from build ${buildId.slice(0, 12)}: ${kept} of ${all} hits, ` +
    "the others have no counterpart\n";
  assert.ok(kernelcov(path, "store", "add", "s", "--by-line", old).includes(said));
  assert.ok(kernelcov(path, "store", "list", "s").includes(said));
  const { shards } = JSON.parse(kernelcov(path, "store", "list", "s", "--json"));
  assert.deepEqual(shards.flatMap(({ projected }: { projected?: unknown }) => projected ?? []), [
    { buildId, kept, lost },
  ]);
  const line = readFileSync(join(after.folder, PIPE), "utf8").split("\n")
    .indexOf("\t\tcount = pipe_poll(count - 1);") + 1;
  const [{ tests }] = JSON.parse(
    kernelcov(path, "which", `${PIPE}:${line}`, "--run", "s", "--json"),
  );
  assert.deepEqual(
    tests.map(({ name }: { name: string }) => name).sort(),
    ["in a module", "reads"],
  );
});

test("the HTML report has a chart of earlier builds", () => {
  using before = new SmallImage();
  using after = changed(before);
  using folder = temporaryFolder();
  const { path } = folder;
  const record = (image: SmallImage, names: readonly string[], run: string): string =>
    image.writeRun(run, [image.record("a", image.pcsOf(...names))], image.path);
  kernelcov(path, "store", "add", "first.store", record(before, ["pipe_read"], "run"));
  const second = record(before, ["pipe_read", "unix_listen"], "second");
  kernelcov(
    path,
    "store",
    "add",
    "now.store",
    record(after, ["pipe_read", "unix_listen", "unix_never"], "run"),
  );
  const html = join(path, "html");
  const earlier = ["--earlier", "first.store", "--earlier", second];
  kernelcov(path, "report", "now.store", "--html", html, ...earlier);
  const text = readFileSync(join(html, "data/run.js"), "utf8");
  const { builds, lines } = JSON.parse(text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1));
  assert.deepEqual(
    builds.map(({ name, buildId }: { name: string; buildId: string }) => [name, buildId]),
    [
      ["first.store", before.index.buildId],
      ["second", before.index.buildId],
      ["this report", after.index.buildId],
    ],
  );
  const hit = builds.map(({ lines }: { lines: { hit: number } }) => lines.hit);
  assert.ok(hit[0] < hit[1] && hit[1] < hit[2]);
  assert.deepEqual(builds[2].lines, lines);
  assert.match(readFileSync(join(html, "kernelcov.js"), "utf8"), /function buildsChart/);
  kernelcov(path, "report", "now.store", "--html", html);
  assert.doesNotMatch(readFileSync(join(html, "data/run.js"), "utf8"), /"builds":/);
  const alone = ended(path, "report", "now.store", ...earlier);
  assert.match(alone.stderr, /--earlier is for the HTML report: give --html too/);
  assert.equal(alone.status, 2);
});

test("of a file whose text is newer than the image, lines are not guessed but counted", () => {
  using before = new SmallImage();
  using after = changed(before);
  using folder = temporaryFolder();
  const record = (image: SmallImage, ...names: readonly string[]): string =>
    image.writeRun("run", [image.record("a", image.pcsOf(...names))], image.path);
  const old = record(before, "pipe_read", "unix_listen"), now = record(after, "pipe_poll");
  const source = join(before.folder, PIPE);
  writeFileSync(source, readFileSync(source));
  const later = new Date(Date.now() + 60_000);
  utimesSync(source, later, later);
  const { steps: [{ lost, notCompared }] } = JSON.parse(
    kernelcov(folder.path, "store", "history", old, now, "--json"),
  );
  assert.deepEqual([...new Set(lost.map(({ file }: { file: string }) => file))], [SOCKET]);
  assert.ok(notCompared["no-source"] >= 3);
});
