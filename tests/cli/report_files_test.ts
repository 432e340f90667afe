import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { writeOutput } from "../../src/cli/output_file.ts";
import { runtimeName } from "../../src/sys/runtime.ts";
import { removeLeftParts, writeWhole } from "../../src/sys/written_files.ts";
import { SmallImage } from "../_support/images/small_image.ts";
import { commandOn, runCommandOn } from "../_support/images/small_image_command.ts";

const IMAGE = new SmallImage();
after(() => IMAGE[Symbol.dispose]());
const RUN = IMAGE.writeRun("run", [
  IMAGE.record("writes", IMAGE.pcsOf("pipe_write")),
  IMAGE.record("reads", IMAGE.pcsOf("pipe_read")),
]);
let folders = 0;

function newFolder(files: Readonly<Record<string, string>> = {}): string {
  const folder = join(IMAGE.folder, `made${folders++}`);
  mkdirSync(folder);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

function contents(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name)).sort()
      .map((path) => [path.slice(folder.length + 1), readFileSync(path, "utf8")]),
  );
}

const MINE = "TN:\nSF:mine.ts\nDA:1,1\nend_of_record\n";

test("a folder with another program's files is not written to: one line, status 2", () => {
  const cases: [args: (folder: string) => string[], files: Record<string, string>, RegExp][] = [
    [
      (folder) => ["--html", folder],
      { "index.html": "<h1>mine" },
      /index\.html is not a report of/,
    ],
    [(folder) => ["--out", folder], { "lcov.info": MINE }, /lcov\.info belongs to another program/],
    [(folder) => ["--out", folder], { "tests.json": '{"a": 1}' }, /tests\.json belongs to another/],
    [
      (folder) => ["--out", folder],
      { "tests.info": MINE },
      /tests\.info belongs to another program/,
    ],
    [
      (folder) => ["--out", folder],
      { "tests.desc": "mine" },
      /tests\.desc belongs to another program/,
    ],
  ];
  for (const [args, files, message] of cases) {
    const folder = newFolder(files);
    const more = args(folder)[0] === "--html" ? ["--out", newFolder()] : [];
    const { status, stderr } = runCommandOn(IMAGE, ["report", RUN, ...args(folder), ...more]);
    assert.equal(status, 2, stderr);
    assert.match(stderr, message);
    assert.deepEqual(contents(folder), files);
  }
  const folder = newFolder({ "lcov.info": MINE });
  const { status } = runCommandOn(IMAGE, ["test", "--out", folder, "--", "false"]);
  assert.equal(status, 2);
  assert.deepEqual(contents(folder), { "lcov.info": MINE });
});

test("a data file of another program in the HTML folder stays as it is", () => {
  const html = newFolder({ "data/run.js": "mine" });
  const { status, stderr } = runCommandOn(IMAGE, [
    ...["report", RUN, "--out", newFolder(), "--html", html],
  ]);
  assert.equal(status, 2);
  assert.match(stderr, /data\/run\.js is not a report of kernelcov/);
  assert.equal(readFileSync(join(html, "data/run.js"), "utf8"), "mine");
});

test("a report replaces those before it and removes their parts, and nothing else", () => {
  const out = newFolder();
  assert.equal(runCommandOn(IMAGE, ["report", RUN, "--out", out]).status, 0);
  const first = contents(out);
  assert.deepEqual(Object.keys(first), ["lcov.info", "tests.desc", "tests.info", "tests.json"]);
  writeFileSync(join(out, "tests-2.info"), first["tests.info"]!);
  writeFileSync(join(out, "tests-7.info"), MINE);
  assert.equal(runCommandOn(IMAGE, ["report", RUN, "--out", out]).status, 0);
  assert.deepEqual(contents(out), { ...first, "tests-7.info": MINE });
});

test("each of many tests is written when asked for only", () => {
  const run = IMAGE.writeRun(
    "many",
    Array.from({ length: 301 }, (_, i) => IMAGE.record(`test ${i}`, IMAGE.pcsOf("pipe_write"))),
  );
  const out = newFolder();
  assert.equal(runCommandOn(IMAGE, ["report", RUN, "--out", out]).status, 0);
  const plain = runCommandOn(IMAGE, ["report", run, "--out", out]);
  assert.deepEqual(Object.keys(contents(out)), ["lcov.info", "tests.json"]);
  assert.match(plain.stdout, /^301 tests: too many for tests\.info; .* --lcov-tests FILE/m);
  const each = join(newFolder(), "each.info.gz");
  const asked = runCommandOn(IMAGE, ["report", run, "--out", out, "--lcov-tests", each]);
  assert.doesNotMatch(asked.stdout, /too many/);
  const parts = [each, each.replace(".info", "-2.info")]
    .map((path) => gunzipSync(readFileSync(path)).toString());
  const names = new Set(parts.join("").match(/^TN:.*$/gm));
  assert.equal(names.size, 301 + 1);
});

test("- is standard output, with the report and nothing else", () => {
  const args = ["report", RUN, "--out", newFolder()];
  const { status, stdout, stderr } = runCommandOn(IMAGE, [...args, "--json", "-"]);
  assert.equal(stderr, "");
  assert.equal(status, 0);
  assert.equal(JSON.parse(stdout).tests.length, 2);
  const lcov = runCommandOn(IMAGE, [...args, "--lcov", "-"]).stdout;
  assert.match(lcov, /^TN:\nSF:[^]*\nend_of_record\n$/);
  for (
    const wrong of [
      [...args, "--json", "-", "--lcov", "-"],
      [...args, "--cobertura", "-"],
      ["test", "--json", "-", "--", "true"],
    ]
  ) {
    const { status, stderr, stdout } = runCommandOn(IMAGE, wrong);
    assert.equal(status, 2, stderr);
    assert.equal(stdout, "");
  }
});

test("what is no file is written to and stays what it is", async () => {
  const folder = newFolder();
  const fifo = join(folder, "fifo");
  execFileSync("mkfifo", [fifo]);
  const reader = spawn("cat", [fifo]);
  let read = "";
  reader.stdout.on("data", (chunk: Uint8Array) => read += chunk);
  const ended = new Promise((resolve) => reader.on("close", resolve));
  const { command, args, options } = commandOn(IMAGE, [
    ...["report", RUN, "--out", newFolder(), "--json", fifo],
  ]);
  const writer = spawn(command, args, { ...options, stdio: ["ignore", "ignore", "inherit"] });
  assert.equal(await new Promise((resolve) => writer.on("close", resolve)), 0);
  await ended;
  assert.equal(JSON.parse(read).tests.length, 2);
  assert.ok(lstatSync(fifo).isFIFO());
  await assert.rejects(writeOutput(folder, ["x"]), /is a folder: name a file in it/);
});

test("compressed files of several members are what was written", async () => {
  const path = join(newFolder(), "a.txt.gz");
  const parts = Array.from({ length: 5 }, (_, i) => String(i).repeat(3 << 20));
  await writeOutput(path, parts);
  assert.equal(gunzipSync(readFileSync(path)).toString(), parts.join(""));
  assert.equal(execFileSync("gzip", ["-dc", path], { maxBuffer: 2 ** 26 }).length, 15 << 20);
});

test("Ctrl-C while a file is written leaves it whole or not there, and ends the command", () => {
  const folder = newFolder();
  const script = join(folder, "write.ts");
  const source = (name: string): string =>
    JSON.stringify(new URL(`../../src/${name}`, import.meta.url).href);
  writeFileSync(
    script,
    `import process from "node:process";
import { SignalHold } from ${source("cli/signal_hold.ts")};
import { writeWhole } from ${source("sys/written_files.ts")};
function* parts() {
  yield "one ";
  process.kill(process.pid, "SIGINT");
  yield "two";
}
using hold = new SignalHold();
writeWhole(${JSON.stringify(join(folder, "first"))}, parts());
await hold.pass();
writeWhole(${JSON.stringify(join(folder, "second"))}, ["too late"]);
`,
  );
  const runtime = runtimeName() === "deno" ? ["run", "-A", "--no-check"] : [];
  const { status, stderr } = spawnSync(process.execPath, [...runtime, script], {
    encoding: "utf8",
  });
  assert.equal(status, 130, stderr);
  assert.deepEqual(readdirSync(folder).sort(), ["first", "write.ts"]);
  assert.equal(readFileSync(join(folder, "first"), "utf8"), "one two");
});

test("what a killed report left goes with the next one; what others write stays", () => {
  const dead = spawnSync("true").pid;
  const folder = newFolder({
    [`lcov.info.${dead}.12.5.partial`]: "",
    [`lcov.info.${process.pid}.12.5.partial`]: "",
    "mine.partial": "",
    [`a.${dead}.partial`]: "",
  });
  assert.equal(runCommandOn(IMAGE, ["report", RUN, "--out", folder]).status, 0);
  const left = readdirSync(folder).filter((name) => name.endsWith(".partial")).sort();
  assert.deepEqual(
    left,
    [`a.${dead}.partial`, `lcov.info.${process.pid}.12.5.partial`, "mine.partial"].sort(),
  );
  removeLeftParts(join(folder, "none"));
  writeWhole(join(folder, "whole"), ["x"]);
  assert.ok(existsSync(join(folder, "whole")));
});
