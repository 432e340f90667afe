import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { runtimeName } from "../../src/sys/runtime.ts";
import { SmallImage } from "../_support/images/small_image.ts";

const MAIN = join(import.meta.dirname!, "../../src/cli/main.ts");
const OLD = new SmallImage();
const NEW = new SmallImage({
  "net/unix/af_unix.c": `int pipe_poll(int);
int unix_closes(int count)
{
	return pipe_poll(count);
}
int unix_never(int x)
{
	return unix_closes(x + 1);
}
int unix_listen(int backlog)
{
	return pipe_poll(backlog);
}
`,
});
after(() => {
  OLD[Symbol.dispose]();
  NEW[Symbol.dispose]();
});

/** Runs the command in this runtime, in a folder of its own, with a cache of its own and nothing said of an image. */
function kernelcov(folder: string, args: readonly string[]) {
  const runtime = runtimeName() === "deno" ? ["run", "-A", "--no-check"] : [];
  const { KERNELCOV_VMLINUX: _image, ...env } = process.env;
  return spawnSync(process.execPath, [...runtime, MAIN, ...args], {
    encoding: "utf8",
    cwd: folder,
    env: { ...env, NO_COLOR: "1", XDG_CACHE_HOME: join(folder, "cache") },
  });
}

function inFolder(body: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-kernels-"));
  try {
    body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const RECORDS = [
  OLD.record("writes", OLD.pcsOf("pipe_write")),
  OLD.record("listens", [
    ...OLD.pcsOf("unix_listen"),
    ...OLD.pcsOf("pipe_poll"),
  ]),
];

test("a run knows where its kernel's image is, and its index after that is gone or rebuilt", () => {
  inFolder((folder) => {
    mkdirSync(join(folder, "build"));
    const image = join(folder, "build/vmlinux");
    copyFileSync(OLD.path, image);
    const run = OLD.writeRun("known", RECORDS, image);
    const question = ["which", "pipe_write", "--run", run, "--plain"];
    const known = kernelcov(folder, question);
    assert.equal(known.stderr, "");
    assert.equal(known.stdout, "tests/pipe_test.ts: writes\n");

    renameSync(image, `${image}.old`);
    const gone = kernelcov(folder, question);
    assert.equal(gone.stderr, "");
    assert.equal(gone.stdout, known.stdout);
    copyFileSync(NEW.path, image);
    const rebuilt = kernelcov(folder, question);
    assert.equal(rebuilt.stderr, "");
    assert.equal(rebuilt.stdout, known.stdout);
    const report = kernelcov(folder, ["report", run, "--out", join(folder, "out")]);
    assert.equal(report.status, 0, report.stderr);
    assert.match(report.stdout, /^2 tests$/m);

    rmSync(join(folder, "cache"), { recursive: true });
    const forgotten = kernelcov(folder, question);
    assert.equal(forgotten.status, 3);
    assert.match(forgotten.stderr, /^kernelcov: Cannot find the kernel's vmlinux/);
  });
});

test("an image that is named must be the run's, in its own folder too", () => {
  inFolder((folder) => {
    const run = OLD.writeRun("named", RECORDS);
    const wrong = kernelcov(folder, ["report", run, "--vmlinux", NEW.path]);
    assert.equal(wrong.status, 3);
    assert.match(wrong.stderr, /its build id is \w+ but the kernel's is \w+/);
    const out = ["--out", join(folder, "out")];
    const relative = kernelcov(OLD.folder, ["report", run, "--vmlinux", "vmlinux", ...out]);
    assert.equal(relative.status, 0, relative.stderr);
    assert.equal(relative.stderr, "");
    rmSync(join(OLD.folder, "cache"), { recursive: true });
    for (const option of [["report", run, "--vmlinux"], ["symbolize", "0x10", "--image"]]) {
      const isFolder = kernelcov(folder, [...option, OLD.folder]);
      assert.notEqual(isFolder.status, 0);
      assert.match(isFolder.stderr, /^kernelcov: Cannot read \S+: it is a folder: name .*\n$/);
    }
  });
});

test("diff of runs on two builds answers by function", () => {
  inFolder((folder) => {
    const a = OLD.writeRun("a", RECORDS, OLD.path);
    const b = NEW.writeRun("b", [
      NEW.record("listens", NEW.pcsOf("unix_listen", "unix_closes", "pipe_poll")),
    ], NEW.path);
    const json = kernelcov(folder, ["diff", a, b, "--json"]);
    assert.equal(json.stderr, "");
    const { entered, functions } = JSON.parse(json.stdout);
    assert.deepEqual(entered, { onlyA: 1, onlyB: 1, both: 2 });
    const byName = new Map<string, { a: unknown; b: unknown }>(
      functions.map((
        entry: { function: string; a: unknown; b: unknown },
      ) => [entry.function, entry]),
    );
    assert.deepEqual([...byName.keys()].sort(), ["pipe_write", "unix_closes", "unix_listen"]);
    assert.equal(byName.get("unix_closes")!.a, null);
    assert.equal((byName.get("pipe_write")!.b as { linesHit: number }).linesHit, 0);
    const text = kernelcov(folder, ["diff", a, b]).stdout;
    assert.match(text, /^ {2}the kernels are two builds: functions are compared, not lines$/m);
    assert.match(text, /unix_closes: A has no such function; B \d+ of \d+ lines$/m);
    assert.match(text, /pipe_write: A \d+ of \d+ lines; B does not enter it$/m);
    const plain = kernelcov(folder, ["diff", a, b, "--plain"]).stdout;
    assert.match(plain, /^net\/unix\/af_unix\.c\tunix_closes\t-\t\d+\/\d+$/m);
    const named = kernelcov(folder, ["diff", a, b, "--plain", "--vmlinux", NEW.path]);
    assert.equal(named.stdout, plain);
  });
});
