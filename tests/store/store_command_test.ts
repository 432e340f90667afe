import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { DuckDBInstance } from "@duckdb/node-api";
import { noComparisons } from "../../src/kcov/comparisons/comparisons.ts";
import { FaultWriter } from "../../src/record/faults/fault_files.ts";
import { readRun } from "../../src/record/read_run.ts";
import { openRun } from "../../src/record/run_writer.ts";
import { runtimeName } from "../../src/sys/runtime.ts";
import { temporaryFolder } from "./stored_runs.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const FIXTURE = join(ROOT, "tests/data/fixed_run");
const MAIN = join(ROOT, "src/cli/main.ts");
const VMLINUX = ["--vmlinux", join(FIXTURE, "linux/vmlinux")];

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function kernelcov(cwd: string, ...args: readonly string[]): Ended {
  const runtime = runtimeName() === "deno" ? ["run", "-A", "--no-check"] : [];
  const { KERNELCOV_MODULES: _modules, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, [...runtime, MAIN, ...args], {
    cwd,
    encoding: "utf8",
    env: { ...env, XDG_CACHE_HOME: join(cwd, "cache") },
  });
  return { status, stdout, stderr };
}

function succeed(cwd: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = kernelcov(cwd, ...args);
  assert.equal(status, 0, `kernelcov ${args.join(" ")}\n${stdout}\n${stderr}`);
  return stdout;
}

/** Each record file of the fixture as a run of its own: `a` and `b` folders, `c` an archive. */
function threeRuns(folder: string): void {
  const files = readdirSync(join(FIXTURE, "run")).filter((name) => name.endsWith(".records"))
    .sort();
  files.forEach((name, at) => {
    const run = join(folder, "runs", "abc"[at], "run");
    mkdirSync(run, { recursive: true });
    copyFileSync(join(FIXTURE, "run", name), join(run, name));
  });
  for (const [name, options] of [["c.tar", "-cf"], ["c.tar.gz", "-czf"]] as const) {
    const archive = join(folder, "runs", name);
    const { status } = spawnSync("tar", [options, archive, "-C", join(folder, "runs"), "c"]);
    assert.equal(status, 0);
  }
}

function questions(folder: string, run: string): string {
  const ask = (...args: string[]): string =>
    succeed(folder, ...args, "--run", run, ...VMLINUX, "--json");
  return [
    ask("which", "fs/pipe.c:9"),
    ask("which", "pipe_write"),
    ask("which", "fs"),
    ask("which", "--diff", join(FIXTURE, "change.patch")),
    ask("show", "tree"),
    ask("unique"),
    ask("minimize"),
    ask("diff", "pipe > writes", "tree"),
  ].join("");
}

function report(folder: string, run: string): string {
  const out = join(folder, "out");
  const args = ["--source-prefix", "", "--json", "run.json"];
  const stdout = succeed(folder, "report", run, "--out", out, ...VMLINUX, ...args);
  const files = ["lcov.info", "tests.info", "tests.desc", "tests.json"];
  return [stdout, ...files.map((name) => readFileSync(join(out, name), "utf8"))].join("") +
    readFileSync(join(folder, "run.json"), "utf8");
}

test("a store answers and reports as the folder of its run does, byte for byte", () => {
  using folder = temporaryFolder();
  const { path } = folder;
  const run = join(path, "run");
  mkdirSync(run);
  for (const name of readdirSync(join(FIXTURE, "run"))) {
    copyFileSync(join(FIXTURE, "run", name), join(run, name));
  }
  assert.match(succeed(path, "store", "add", "s", "run", ...VMLINUX), /^s: 1 run added; /);
  const expected = questions(path, run);
  assert.equal(questions(path, "s"), expected);
  assert.equal(report(path, "s"), report(path, run));
  succeed(path, "store", "compact", "s");
  assert.equal(questions(path, "s"), expected);
  const table = succeed(path, "report", "s", ...VMLINUX, "--driver", "duckdb");
  assert.match(table, /pipe > writes/);
  assert.match(
    kernelcov(path, "which", "fs", "--run", run, "--driver", "duckdb").stderr,
    /--driver is for stores/,
  );
});

test("kernelcov patch judges a store as it judges the folder of its run", () => {
  using folder = temporaryFolder();
  const { path } = folder;
  const run = join(FIXTURE, "run");
  succeed(path, "store", "add", "s", run, ...VMLINUX);
  const patch = ["patch", "--diff", join(FIXTURE, "change.patch"), ...VMLINUX];
  const verdict = (name: string, ...more: readonly string[]): string =>
    succeed(path, ...patch, "--run", name, ...more);
  const files = ["markdown", "annotations", "sarif"];
  const reports = (name: string): string[] => {
    verdict(name, ...files.flatMap((file) => [`--${file}`, file]));
    verdict(name, "--cobertura", "xml");
    return [...files, "xml"].map((file) =>
      readFileSync(join(path, file), "utf8").replace(/timestamp="\d+"/, "")
    );
  };
  const expected = verdict(run, "--json");
  assert.match(expected, /"covered"/);
  const texts = reports(run);
  for (const driver of ["built-in", "duckdb"]) {
    assert.equal(verdict("s", "--json", "--driver", driver), expected);
  }
  assert.deepEqual(reports("s"), texts);
  const ended = kernelcov(path, ...patch, "--run", run, "--earlier", run);
  assert.equal(ended.status, 4, "a test did not end");
  for (const earlier of [run, "s"]) {
    assert.deepEqual(kernelcov(path, ...patch, "--run", "s", "--earlier", earlier), ended);
  }
});

test("what runs have and a store has not is counted and said", () => {
  using folder = temporaryFolder();
  const { path } = folder;
  const { kernel, records: [record] } = readRun(join(FIXTURE, "run"));
  const { pcs, hits: _hits, origins: _origins, ...plain } = record;
  {
    using writer = openRun(join(path, "run"), { kernel });
    const points = Uint32Array.from(pcs.keys());
    writer.append({ ...plain, pcs, hits: null, order: { points, cut: 0, full: false } });
    const none = Float64Array.of() as typeof pcs;
    const comparisons = noComparisons();
    writer.append({ ...plain, name: "compared", pcs: none, hits: null, comparisons });
  }
  const { name, file } = record;
  const faults = new FaultWriter(join(path, "run"), { buildId: kernel.buildId, run: "" });
  for (const nth of [1, 2, 3]) {
    faults.add({ name, file, runner: "deno", call: "write", nth, pcs: Float64Array.of() });
  }
  faults.close();
  assert.equal(spawnSync("tar", ["-cf", "run.tar", "run"], { cwd: path }).status, 0);
  const said = "the order of points of 1 record, 1 record with comparisons, 3 failed allocations";
  for (const [store, run] of [["s", "run"], ["t", "run.tar"]] as const) {
    const added = succeed(path, "store", "add", store, run, ...VMLINUX);
    assert.match(added, new RegExp(`^${store}: 1 run added; 1 record, `));
    assert.ok(
      added.endsWith(`\nnot in a store, which has points: ${said}: ask the runs for these\n`),
    );
    assert.match(succeed(path, "store", "list", store), new RegExp(`left in its run: ${said}\n`));
    const { shards: [shard] } = JSON.parse(succeed(path, "store", "list", store, "--json"));
    assert.deepEqual(shard.leftInRuns, { orders: 1, comparisons: 1, faults: 3 });
    assert.equal(shard.records, 1);
    // Only of what was added now.
    assert.match(succeed(path, "store", "add", store, run, ...VMLINUX), /^[^\n]*\n$/);
  }
});

test("folders, archives and patterns are added in any order, and the same one twice without harm", () => {
  using folder = temporaryFolder();
  const { path } = folder;
  threeRuns(path);
  const runs = ["runs/a", "runs/b/run", "runs/c.tar"];
  assert.match(
    succeed(path, "store", "add", "one", ...runs, ...VMLINUX),
    /^one: 3 runs added; \d+ records, \d+ hits of 3 shards, 1 segment of /,
  );
  succeed(path, "store", "add", "two", "runs/c.tar.gz", ...VMLINUX);
  assert.match(
    succeed(path, "store", "add", "two", "runs/[ab]", "runs", ...VMLINUX),
    /^two: 2 runs added, 3 already there; /,
  );
  // Under another name too.
  mkdirSync(join(path, "copy"));
  const [file] = readdirSync(join(path, "runs/a/run"));
  copyFileSync(join(path, "runs/a/run", file), join(path, "copy/other.records"));
  assert.match(
    succeed(path, "store", "add", "two", "copy", ...VMLINUX),
    /^two: 0 runs added, 1 already there; /,
  );
  const expected = questions(path, "one");
  assert.equal(questions(path, "two"), expected);
  assert.equal(report(path, "two"), report(path, "one"));
  succeed(path, "merge", "runs/a", "runs/b", "runs/c", "--out", "merged");
  assert.equal(questions(path, "merged"), expected);

  const list = succeed(path, "store", "list", "two");
  assert.match(list, /^kernel 6\.12\.0 x86_64, build id cd2f81088eef\w+\n/);
  const shards = [...list.matchAll(/^shard (\w+) {2}(\S+) /gm)];
  assert.equal(shards.length, 3);
  const [[, oldest]] = shards;
  assert.match(succeed(path, "store", "prune", "two", "--shard", oldest), /1 shard removed/);
  succeed(path, "store", "prune", "one", "--keep", "2");
  assert.equal(questions(path, "two"), questions(path, "one"));
  // What was pruned can be added again.
  succeed(path, "store", "add", "two", "runs", ...VMLINUX);
  assert.equal(questions(path, "two"), expected);
});

test("a run of another build and what cannot be read are refused, and the others added", () => {
  using folder = temporaryFolder();
  const { path } = folder;
  threeRuns(path);
  const { kernel, records } = readRun(join(path, "runs/a"));
  {
    using writer = openRun(join(path, "other"), {
      kernel: { ...kernel, buildId: "ab".repeat(20) },
    });
    writer.append(records[0]);
  }
  const archive = readFileSync(join(path, "runs/c.tar"));
  writeFileSync(join(path, "cut.tar"), archive.subarray(0, 700));
  succeed(path, "store", "add", "s", "runs/a", ...VMLINUX);
  const before = succeed(path, "store", "list", "s");
  const { status, stderr, stdout } = kernelcov(
    path,
    "store",
    "add",
    "s",
    "other",
    "cut.tar",
    "runs/a",
    ...VMLINUX,
  );
  assert.equal(status, 1);
  assert.match(
    stderr,
    new RegExp(`other: store: .*build id ${kernel.buildId}.*build id (?:ab){20}`),
  );
  assert.match(stderr, /cut\.tar: tar: cut\.tar is damaged or cut short: make the archive again/);
  assert.match(stdout, /^s: 0 runs added, 1 already there, 2 refused; /);
  assert.equal(succeed(path, "store", "list", "s"), before);
  assert.equal(kernelcov(path, "store", "add", "s", "nowhere").status, 2);
  assert.equal(kernelcov(path, "store", "add", "runs", "runs/a").status, 1);
  assert.match(kernelcov(path, "store", "list", "nowhere").stderr, /There is no store in nowhere/);
  assert.match(kernelcov(path, "store", "prune", "s", "--keep", "x").stderr, /is no number from 1/);
});

test("the statements of the documentation run on a store", async () => {
  using folder = temporaryFolder();
  const { path } = folder;
  threeRuns(path);
  succeed(path, "store", "add", "s", "runs/a", ...VMLINUX);
  succeed(path, "store", "add", "s", "runs/b", ...VMLINUX);
  const views = succeed(path, "store", "list", "s", "--sql");
  const text = readFileSync(join(ROOT, "docs/store.md"), "utf8");
  const statements = [...text.matchAll(/```sql\n([^]*?)```/g)].map(([, sql]) => sql);
  assert.ok(statements.length > 4);
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  await connection.run(views);
  for (const sql of statements) await connection.run(sql);
  const unique: { test: { name: string }; points: number }[] = JSON.parse(
    succeed(path, "unique", "--run", "s", ...VMLINUX, "--json"),
  );
  const own = statements.find((sql) => sql.includes("count(DISTINCT id) = 1"))!;
  const rows = (await connection.runAndReadAll(own)).getRowObjects();
  assert.equal(
    rows.reduce((sum, { points }) => sum + Number(points), 0),
    unique.reduce((sum, { points }) => sum + points, 0),
  );
  connection.closeSync();
  instance.closeSync();
});
