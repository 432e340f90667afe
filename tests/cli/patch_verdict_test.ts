import assert from "node:assert/strict";
import { execFileSync, spawnSync, type SpawnSyncReturns } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { SmallImage } from "../_support/images/small_image.ts";
import { runCommandOn } from "../_support/images/small_image_command.ts";

const DTD = fileURLToPath(new URL("../data/coverage-04.dtd", import.meta.url));
const IMAGE = new SmallImage();
after(() => IMAGE[Symbol.dispose]());
const WRITES = IMAGE.record("pipe > writes", IMAGE.pcsOf("pipe_write", "pipe_poll"));
const RUN = IMAGE.writeRun("run", [WRITES]);
const FULL = IMAGE.writeRun("full", [
  WRITES,
  IMAGE.record("pipe > reads", IMAGE.pcsOf("pipe_read", "pipe_poll")),
]);

/** A patch that the image was built with: it added these lines, by their numbers. */
function applied(file: string, from: number, to: number): string {
  const lines = readFileSync(join(IMAGE.folder, file), "utf8").split("\n");
  const part = (first: number, last: number, mark: string): string =>
    lines.slice(first - 1, last).map((line) => `${mark}${line}\n`).join("");
  return `--- a/${file}\n+++ b/${file}\n@@ -${from - 1},2 +${from - 1},${to - from + 3} @@\n${
    part(from - 1, from - 1, " ")
  }${part(from, to, "+")}${part(to + 1, to + 1, " ")}`;
}

const POLL = applied("fs/pipe.c", 20, 23), READ = applied("fs/pipe.c", 14, 18);
const NEVER = "--- a/drivers/x.c\n+++ b/drivers/x.c\n@@ -1,1 +1,2 @@\n a;\n+b;\n";

function patch(args: readonly string[], input: string): SpawnSyncReturns<string> {
  return runCommandOn(IMAGE, ["patch", "--run", RUN, ...args], input);
}

test("patch judges the lines of a change, and --min-patch-lines gives status 4", () => {
  const good = patch(["--min-patch-lines", "100"], POLL);
  assert.equal(good.stderr, "");
  assert.equal(good.status, 0);
  assert.match(good.stdout, /^2 of 2 changed lines covered \(100 %\)\nfs\/pipe\.c\n/);
  assert.match(good.stdout, /1 test for it\n.*pipe > writes\n/);
  const bad = patch(["--min-patch-lines", "80", "--json"], POLL + READ);
  assert.equal(bad.status, 4);
  assert.match(bad.stderr, /below --min-patch-lines 80\n/);
  const { side, counts, passed } = JSON.parse(bad.stdout);
  assert.equal(side, "new");
  assert.equal(passed, false);
  assert.ok(counts.uncovered > 0);
  const none = patch(["--min-patch-lines", "80"], NEVER);
  assert.equal(none.status, 4);
  assert.match(none.stdout, /not in the tested kernel: 2\n/);
});

test("patch writes its files, of which the Cobertura one is valid and has the changed files alone", () => {
  const at = (name: string): string => join(IMAGE.folder, name);
  const args = ["--markdown", at("p.md"), "--sarif", at("p.sarif"), "--cobertura", at("p.xml")];
  const { status, stdout } = patch([...args, "--annotations", "-"], READ + NEVER);
  assert.equal(status, 0);
  assert.match(stdout, /^::warning file=fs\/pipe\.c,line=14,/);
  assert.match(readFileSync(at("p.md"), "utf8"), /^## Kernel coverage of this change\n/);
  assert.equal(JSON.parse(readFileSync(at("p.sarif"), "utf8")).version, "2.1.0");
  const xml = readFileSync(at("p.xml"), "utf8");
  const names = [...xml.matchAll(/ filename="([^"]+)"/g)].map(([, name]) => name);
  assert.deepEqual(names, ["fs/pipe.c"]);
  const check = spawnSync("xmllint", ["--nonet", "--noout", "--dtdvalid", DTD, at("p.xml")]);
  assert.equal(check.status, 0, String(check.stderr));
});

test("--earlier names the tests that should have run and did not", () => {
  const { status, stdout } = patch(["--earlier", FULL], POLL);
  assert.equal(status, 4);
  assert.match(stdout, /2 tests should have run.*\n {2}did not run {2}.*pipe > reads\n/);
  assert.equal(patch(["--earlier", RUN], POLL).status, 0);
});

test("--base judges what the git tree changes since it branched off", () => {
  const git = (...args: string[]): void => {
    const who = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"];
    execFileSync("git", [...who, ...args], { cwd: IMAGE.folder, stdio: "pipe" });
  };
  const file = join(IMAGE.folder, "fs/pipe.c");
  const text = readFileSync(file, "utf8");
  const without = text.replace(/int pipe_poll\(int mask\)[^]*/, "");
  git("init", "-q", "-b", "trunk");
  writeFileSync(file, without);
  git("add", "fs");
  git("commit", "-q", "-m", "base");
  git("checkout", "-q", "-b", "topic");
  writeFileSync(file, text);
  git("commit", "-q", "-a", "-m", "change");
  // What the other branch gets meanwhile is not of this change.
  git("checkout", "-q", "trunk");
  writeFileSync(join(IMAGE.folder, "fs/other.c"), "int other;\n");
  git("add", "fs/other.c");
  git("commit", "-q", "-m", "other");
  git("checkout", "-q", "topic");
  const { stdout, status, stderr } = patch(["--base", "trunk", "--json"], "");
  assert.equal(status, 0, stderr);
  const { files, counts } = JSON.parse(stdout);
  assert.deepEqual(files.map(({ path }: { path: string }) => path), ["fs/pipe.c"]);
  assert.equal(counts.uncovered, 0);
  assert.ok(counts.covered + counts.partial > 0);
});

test("wrong options of patch are one line each", () => {
  const cases: [string[], RegExp][] = [
    [["--min-patch-lines", "101"], /101 is not a percentage: give 0 to 100/],
    [["--base", "x", "--diff", "y"], /both name a patch/],
    [["--applied", "--not-applied"], /contradict/],
    [["--folders"], /add --cobertura FILE/],
    [["--markdown", "-", "--sarif", "-"], /Only one report/],
    [["--markdown", "-", "--json"], /Only one report/],
    [["x.patch"], /name the patch with --diff/],
  ];
  for (const [args, message] of cases) {
    const { status, stderr } = patch(args, POLL);
    assert.equal(status, 2, args.join(" "));
    assert.match(stderr, message);
  }
});
