import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { formatInvocation, thisInvocation } from "../../src/record/invocation.ts";
import { readRun } from "../../src/record/read_run.ts";
import { writeRunReport } from "../../src/run/write_report.ts";
import { SmallImage } from "../_support/images/small_image.ts";

const image = new SmallImage();
const cacheHome = process.env["XDG_CACHE_HOME"];
process.env["XDG_CACHE_HOME"] = join(image.folder, "cache");
after(() => {
  image[Symbol.dispose]();
  // Deno runs the other files in this process.
  if (cacheHome === undefined) delete process.env["XDG_CACHE_HOME"];
  else process.env["XDG_CACHE_HOME"] = cacheHome;
});
const DIRECTORY = join(image.folder, "out/run");
const LCOV = join(image.folder, "out/lcov.info");

function record(...names: readonly string[]): void {
  const records = names.map((name) => image.record(name, image.pcsOf("pipe_write")));
  image.writeRun("out/run", records, image.path);
}

test("a plain run's reports hold all records, and those of before are gone with its first record", () => {
  record("a", "b");
  writeRunReport(DIRECTORY);
  assert.match(readFileSync(LCOV, "utf8"), /^SF:.*fs\/pipe\.c$/m);
  const names = readdirSync(join(LCOV, ".."));
  assert.ok(names.includes("tests.json"));
  record("b");
  assert.deepEqual(readdirSync(join(LCOV, "..")), ["run"]);
  writeRunReport(DIRECTORY);
  assert.deepEqual(readdirSync(join(LCOV, "..")), names);
  // One process is one run: its tests are repeats.
  assert.deepEqual(readRun(DIRECTORY).records.map(({ name }) => name).sort(), ["a", "b", "b"]);
});

test("while a command records into the folder, it is left to the command to report", () => {
  const own = thisInvocation();
  const parent = statOf(process.ppid);
  writeFileSync(
    join(DIRECTORY, "lock"),
    formatInvocation({ ...own, pid: process.ppid, start: parent }),
  );
  rmSync(LCOV);
  writeRunReport(DIRECTORY);
  assert.ok(!existsSync(LCOV));
  rmSync(join(DIRECTORY, "lock"));
  writeRunReport(DIRECTORY);
  assert.ok(statSync(LCOV).size > 0);
});

/** Start time by the fields' order alone; the names of these processes hold no parentheses. */
function statOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/stat`, "latin1").replace(/\(.*\) /, "").split(" ")[20]);
}
