import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";

const launcher = join(import.meta.dirname!, "../../src/cli/kernelcov");

function kernelcov(args: string[], env: Record<string, string> = {}, cwd?: string): {
  status: number | null;
  stdout: string;
  stderr: string;
} {
  return spawnSync(launcher, args, { encoding: "utf8", cwd, env: { ...process.env, ...env } });
}

test("kernelcov --help lists every command and exits with 0", () => {
  const { status, stdout } = kernelcov(["--help"]);
  assert.equal(status, 0);
  for (const name of ["test", "report", "symbolize", "kernel", "doctor"]) {
    assert.match(stdout, new RegExp(`^  ${name} `, "m"));
  }
});

test("a command line that is wrong is one line, a hint and exit status 2, without a stack", () => {
  const cases: [string[], RegExp][] = [
    [["tset"], /Unknown command "tset": did you mean test\?/],
    [["mimimize"], /Unknown command "mimimize": did you mean minimize\?/],
    [["xyzzy"], /Unknown command "xyzzy"\n/],
    [["help", "tset"], /Unknown command "tset"/],
    [["test"], /There is no test command/],
    [["test", "deno"], /Unexpected "deno": put the command after --/],
    [["test", "--kernel", "moon", "--", "true"], /Unknown kernel "moon"/],
    [["test", "--no-such", "--", "true"], /--no-such/],
    [["kernel"], /Name what to do with the kernel/],
    [["kernel", "run"], /There is no command to run/],
    [["report", "a", "b"], /Unexpected "b"/],
    [["symbolize", "extra"], /"extra" is not a hexadecimal number/],
    [["symbolize", "--image", "a", "--vmlinux", "b"], /name one image/],
  ];
  for (const [args, message] of cases) {
    const { status, stderr, stdout } = kernelcov(args);
    assert.equal(status, 2, `${args.join(" ")}: ${stderr}`);
    assert.match(stderr, message);
    assert.ok(stderr.trimEnd().split("\n").length <= 2, stderr);
    assert.doesNotMatch(stderr, /\.ts:\d+/);
    assert.equal(stdout, "");
  }
});

test("help and version are found where people look for them", () => {
  for (const args of [["help", "test"], ["test", "-h"], ["test", "--help"]]) {
    const { status, stdout, stderr } = kernelcov(args);
    assert.deepEqual([status, stderr], [0, ""]);
    assert.match(stdout, /^kernelcov test \[OPTIONS\] -- COMMAND…\n[^]*--html DIR[^]*--min-lines/);
  }
  for (
    const args of [["kernel", "build", "--help"], ["kernel", "run", "-h"], [
      "help",
      "kernel",
      "build",
    ]]
  ) {
    const { status, stdout } = kernelcov(args);
    assert.equal(status, 0);
    assert.match(stdout, /^kernelcov kernel build\|run[^\n]*\nkernelcov kernel build\n/);
  }
  for (const args of [["help", "help"], ["help"], ["help", "--help"]]) {
    assert.match(kernelcov(args).stdout, /Usage: kernelcov COMMAND/);
  }
  for (const args of [["version"], ["-V"], ["--version"]]) {
    const { status, stdout } = kernelcov(args);
    assert.equal(status, 0);
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
  }
});

test("the command starts in each runtime", () => {
  for (const runtime of ["deno", "bun"]) {
    const { status, stdout, stderr } = kernelcov(["--version"], { KERNELCOV_RUNTIME: runtime });
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
  }
});

test("without any runtime the launcher says what to install", () => {
  const { status, stderr } = kernelcov(["--version"], { KERNELCOV_RUNTIME: "none" });
  assert.equal(status, 2);
  assert.match(stderr, /npm install -g deno/);
});

test("report names the run folder that holds no records", () => {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-"));
  try {
    const { status, stderr } = kernelcov(["report", folder]);
    assert.equal(status, 1);
    assert.match(stderr, /holds no records: run the tests first/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("doctor says in plain words what works here and what to do", () => {
  const text = kernelcov(["doctor"]);
  const json = kernelcov(["doctor", "--json"]);
  const diagnosis = JSON.parse(json.stdout);
  assert.equal(text.status, json.status);
  assert.equal(diagnosis.verdict === "none" ? 3 : 0, json.status);
  assert.ok(text.stdout.includes(diagnosis.advice), text.stdout);
  if (diagnosis.verdict !== "host") {
    // Why, and the remedy.
    assert.match(text.stdout, /KCOV|debugfs|kernel coverage device/i);
    assert.match(text.stdout, /kernelcov (?:test|kernel)/);
  }
});
