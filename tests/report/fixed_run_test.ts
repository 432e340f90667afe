import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { readRun } from "../../src/record/read_run.ts";
import { runtimeName } from "../../src/sys/runtime.ts";

// The run's record files and the hashes of its reports were written once and are kept: see its README.md.
const FIXTURE = fileURLToPath(new URL("../data/fixed_run", import.meta.url));
const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

/** The folder of the reports, and the options that make them. */
const REPORTS: readonly (readonly [folder: string, options: readonly string[]])[] = [
  ["plain", [
    ...["--html", "plain/html", "--patch", "change.patch"],
    ...["--json", "plain/run.json", "--cobertura", "plain/cobertura.xml"],
    ...["--teamscale", "plain/teamscale.json", "--syzkaller", "plain/pcs.txt"],
    ...["--syzkaller-jsonl", "plain/points.jsonl", "--syzkaller-programs", "plain/programs.jsonl"],
  ]],
  ["other", ["--steady", "--lcov-dialect", "2", "--partial", "brda", "--count", "tests"]],
];

/** A copy of the run, since a report notes in its folder which files it wrote. */
function inCopy(body: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-fixed-"));
  try {
    cpSync(FIXTURE, folder, { recursive: true });
    body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function report(folder: string, out: string, options: readonly string[]): void {
  const runtime = runtimeName() === "deno" ? ["run", "-A", "--no-check"] : [];
  const image = ["--vmlinux", "linux/vmlinux", "--source-prefix", ""];
  const { KERNELCOV_MODULES: _modules, ...env } = process.env;
  const { status, stderr } = spawnSync(
    process.execPath,
    [...runtime, MAIN, "report", "run", "--out", out, ...image, ...options],
    { cwd: folder, encoding: "utf8", env: { ...env, XDG_CACHE_HOME: join(folder, "cache") } },
  );
  assert.equal(status, 0, stderr);
}

/** A line as sha256sum(1) writes it for each file of data. */
function hashes(folder: string): string {
  return REPORTS.flatMap(([out]) =>
    readdirSync(join(folder, out), { recursive: true, withFileTypes: true })
  ).filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)))
    // Of the pages, what is beside their data is the same for all runs, and changes with their looks.
    .filter((path) => !/^plain\/html\/[^/]+$/.test(path))
    .sort()
    .map((path) => {
      // Cobertura's files say when they were written.
      const text = readFileSync(join(folder, path), "utf8")
        .replace(/(<coverage [^>]*timestamp=")\d+"/, '$10"');
      return `${createHash("sha256").update(text).digest("hex")}  ${path}\n`;
    }).join("");
}

test("the reports of a run that was recorded before are the bytes that they were", () => {
  inCopy((folder) => {
    for (const [out, options] of REPORTS) report(folder, out, options);
    const recorded = readFileSync(join(FIXTURE, "hashes.txt"), "utf8");
    assert.deepEqual(hashes(folder).split("\n"), recorded.split("\n"));
  });
});

test("record files that were written before are read as what they say", () => {
  const run = readRun(join(FIXTURE, "run"));
  assert.equal(run.kernel.release, "6.12.0");
  assert.deepEqual(run.modules, [{
    name: "gone",
    buildId: "abcd",
    sections: [{ name: ".text", address: 2 ** 50 }],
    hidden: "its addresses are hidden",
  }]);
  assert.equal(run.damaged, 3);
  assert.deepEqual(run.cut, ["of another", "nothing"]);
  const told = run.records.map(({ name, kind = "test", outcome, earlier, pass = 0, pcs }) =>
    `${kind} ${outcome} ${earlier === true ? "earlier" : pass} ${pcs.length} ${
      JSON.stringify(name)
    }`
  );
  assert.deepEqual(told, [
    'test failed earlier 1 "pipe > polls"',
    'test passed 1 3 "pipe > writes"',
    'test passed 2 2 "pipe > writes"',
    'test passed 1 3 "pipe > reads <&\\"é\\u001b[1m"',
    'baseline passed 1 1 "(empty tests)"',
    'outside passed 1 1 "(outside tests)"',
    'test passed 1 3 "saturated"',
    'test unfinished 1 0 "cut short"',
    'test failed 3 5 "tree"',
    'test passed 3 0 "nothing"',
  ]);
  const saturated = run.records.find(({ name }) => name === "saturated")!;
  assert.deepEqual([...saturated.pcs], [16, 4198469, 2 ** 50 + 16]);
  assert.deepEqual([...saturated.hits!], [70_000, 0xffff_ffff, 70_000]);
  const tree = run.records.find(({ name }) => name === "tree")!;
  assert.deepEqual(tree.tree, {
    tasks: 3,
    refused: [{ reason: "set-user-ID program", tasks: 1 }],
    finished: true,
  });
});
