import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { readRun } from "../../src/record/read_run.ts";
import { openRun } from "../../src/record/run_writer.ts";
import { buildEmbeddedKernel } from "../../src/build/build_kernel.ts";
import { fileStates } from "../_support/file_states.ts";
import { startKernelcov } from "../_support/guest_run.ts";
import { testRecord } from "../_support/test_records.ts";

const FOLDER = realpathSync(mkdtempSync(join(tmpdir(), "kernelcov-planted-")));
after(() => rmSync(FOLDER, { recursive: true }));
const KERNEL = { buildId: "ab12", release: "6.12.1", machine: "x86_64" };

/** A project, and a folder of the user's that nothing in it may change. */
function makeProject(name: string): { project: string; victim: string } {
  const [project, victim] = [join(FOLDER, name, "project"), join(FOLDER, name, "victim")];
  [project, victim].forEach((path) => mkdirSync(path, { recursive: true }));
  writeFileSync(join(victim, "mine.records"), "precious\n");
  return { project, victim };
}

async function refused(args: readonly string[], cwd: string, message: RegExp): Promise<void> {
  const { status, stderr } = await startKernelcov(args, { cwd }).ended;
  assert.equal(status, 1, stderr);
  assert.match(stderr, message);
  assert.equal(stderr.trim().split("\n").length, 1, stderr);
}

for (const command of ["test", "record"]) {
  const args = [command, "--kernel", "embedded", "--", "true"];

  test(`${command} takes no output folder that is a symbolic link, which the last guest may have left`, async () => {
    for (const path of ["coverage", "coverage/kernel", "coverage/kernel/run"]) {
      const { project, victim } = makeProject(`${command}-${path.replaceAll("/", "-")}`);
      const before = fileStates(victim);
      mkdirSync(join(project, path, ".."), { recursive: true });
      symlinkSync(victim, join(project, path));
      await refused(args, project, /is a symbolic link.*: remove it, or name the folder/);
      assert.deepEqual(fileStates(victim), before);
    }
  });
}

test("records are read from regular files alone: a pipe, a link, a folder and an endless file are counted", () => {
  const { project, victim } = makeProject("read");
  const run = join(project, "run");
  {
    using writer = openRun(run, { kernel: KERNEL });
    writer.append(testRecord({ name: "real" }));
  }
  execFileSync("mkfifo", [join(run, "pipe.records")]);
  symlinkSync(join(victim, "mine.records"), join(run, "link.records"));
  symlinkSync("/no/such/file", join(run, "lost.records"));
  symlinkSync("/dev/zero", join(run, "zero.records"));
  mkdirSync(join(run, "folder.records"));
  writeFileSync(join(run, "huge.records"), "");
  truncateSync(join(run, "huge.records"), 2 ** 40);
  const { records, damaged } = readRun(run);
  assert.deepEqual([records.map(({ name }) => name), damaged], [["real"], 6]);
});

test("openRun writes into no folder that a link leads to", () => {
  const { project, victim } = makeProject("open");
  const before = fileStates(victim);
  for (const target of [victim, "/no/such/folder"]) {
    symlinkSync(target, join(project, "run"));
    assert.throws(() => openRun(join(project, "run"), { kernel: KERNEL }), {
      name: "TypeError",
      message: /run is a symbolic link: remove it/,
    });
    rmSync(join(project, "run"));
  }
  assert.deepEqual(fileStates(victim), before);
});

test("reports replace links that lie where they go, and do not follow them", async () => {
  const { vmlinux } = await buildEmbeddedKernel();
  const { project, victim } = makeProject("report");
  const out = join(project, "coverage/kernel");
  const guest = ["record", "--kernel", "embedded", "--", "true"];
  const recorded = await startKernelcov(guest, { cwd: project }).ended;
  assert.equal(recorded.status, 0, recorded.stderr);
  const names = readdirSync(out).filter((name) => name !== "run");
  for (const name of [...names, "all.info.gz", "all.json"]) {
    rmSync(join(out, name), { force: true });
    symlinkSync(join(victim, "mine.records"), join(out, name));
  }
  const before = fileStates(victim);
  const args = ["report", "--vmlinux", vmlinux, "--lcov", "coverage/kernel/all.info.gz"];
  const { status, stderr } = await startKernelcov(
    [...args, "--json", "coverage/kernel/all.json"],
    { cwd: project },
  ).ended;
  assert.equal(status, 0, stderr);
  assert.deepEqual(fileStates(victim), before);
  assert.match(readFileSync(join(out, "lcov.info"), "utf8"), /^SF:/m);

  const html = join(out, "html");
  mkdirSync(html);
  symlinkSync(victim, join(html, "data"));
  const refusal = await startKernelcov([...args, "--html", "coverage/kernel/html"], {
    cwd: project,
  }).ended;
  assert.notEqual(refusal.status, 0);
  assert.match(refusal.stderr, /data is a symbolic link/);
  assert.deepEqual(fileStates(victim), before);
});
