import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { runtimeName } from "../../src/sys/runtime.ts";
import { SmallImage } from "../_support/images/small_image.ts";

const MAIN = join(import.meta.dirname!, "../../src/cli/main.ts");
const IMAGE = new SmallImage();
const CACHE = join(IMAGE.folder, "cache");
after(() => IMAGE[Symbol.dispose]());
const RECORDS = [IMAGE.record("writes", IMAGE.pcsOf("pipe_write"))];
const RUN = IMAGE.writeRun("run", RECORDS, IMAGE.path);
const MANY = IMAGE.writeRun(
  "many",
  Array.from({ length: 20 }, (_, i) => IMAGE.record(`test ${i}`, IMAGE.pcsOf("pipe_write"))),
  IMAGE.path,
);
const RUNTIME = runtimeName() === "deno" ? ["run", "-A", "--no-check"] : [];
const COMMAND = [process.execPath, ...RUNTIME, MAIN];

interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a shell script in which `"$@"` is the command; one that hangs is ended. */
function shell(script: string, args: readonly string[], cwd = IMAGE.folder): Finished {
  const { status, stdout, stderr } = spawnSync(
    "bash",
    ["-c", script, "bash", ...COMMAND, ...args],
    {
      encoding: "utf8",
      cwd,
      timeout: 60_000,
      env: { ...process.env, NO_COLOR: "1", KERNELCOV_VMLINUX: "", XDG_CACHE_HOME: CACHE },
    },
  );
  return { status, stdout, stderr };
}

function kernelcov(args: readonly string[], cwd?: string): Finished {
  return shell('"$@"', args, cwd);
}

function inFolder(body: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-faults-"));
  try {
    body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Under this no file may have more than 1,024 bytes. */
const LIMITED = `trap "" XFSZ; ulimit -f 1; "$@"`;

/** One line, which says what to change, and no stack. */
function assertOneLine({ stderr }: Finished, message: RegExp): void {
  assert.match(stderr, message);
  const lines = stderr.trimEnd().split("\n").filter((line) => !line.startsWith("Usage: "));
  assert.equal(lines.length, 1, stderr);
}

const WRITERS: readonly (readonly string[])[] = [
  ["--help"],
  ["test", "--help"],
  ["kernel", "list", "--json"],
  ["report", RUN],
  ["which", "pipe_write", "--run", RUN],
  ["show", "writes", "--run", RUN, "--json"],
  ["symbolize", "--image", IMAGE.path, "0x401000"],
];

test("a reader that went away ends no command otherwise than it would have ended", () => {
  for (const args of WRITERS) {
    const { status, stderr } = shell(
      'coproc READER { exec <&-; }; wait $READER_PID; "$@" | { exec <&-; sleep 0.5; }; exit ${PIPESTATUS[0]}',
      args,
    );
    assert.equal(stderr.replace(/^kernelcov: .*\n/, ""), "", args.join(" "));
    const plain = kernelcov(args);
    assert.equal(status, plain.status, args.join(" "));
    const head = shell('"$@" | head -1', args);
    assert.equal(head.stdout, plain.stdout.split("\n")[0] + "\n");
    assert.equal(head.stderr, plain.stderr);
  }
});

test("output that cannot be written is one line and status 1", () => {
  for (const args of WRITERS) {
    const full = shell('"$@" >/dev/full', args);
    assert.equal(full.status, 1, args.join(" "));
    assertOneLine(full, /^kernelcov: Cannot write to standard output: ENOSPC: /);
  }
  const nowhere = shell('"$@" 2>/dev/full', ["which", "no_such", "--run", RUN]);
  assert.equal(nowhere.status, 2);
  // Deno opens /dev/null in the place of a closed one.
  const { stderr } = shell('"$@" >&-', ["report", RUN]);
  assert.equal(
    stderr.replace("kernelcov: Cannot write to standard output: EBADF: check where it goes\n", ""),
    "",
  );
});

test("the table of a run is printed also where its reports cannot be written", () => {
  inFolder((folder) => {
    const { stdout } = kernelcov(["report", MANY, "--out", join(folder, "whole")]);
    const table = stdout.slice(0, stdout.indexOf(folder));
    const full = shell(LIMITED, ["report", MANY, "--out", join(folder, "full")]);
    assert.equal(full.stdout, table);
    assert.equal(full.status, 1);
    assertOneLine(full, /^kernelcov: Cannot write the reports to \S+full: EFBIG: .*--out\n$/);
    assert.deepEqual(readdirSync(join(folder, "full")).filter((name) => /partial/.test(name)), []);
    writeFileSync(join(folder, "file"), "");
    const noFolder = kernelcov(["report", MANY, "--out", join(folder, "file")]);
    assert.equal(noFolder.stdout, table);
    assertOneLine(noFolder, /^kernelcov: Cannot write the reports to \S+file: E\w+: /);
  });
});

test("a function that the image does not have is asked back", () => {
  const { status, stderr } = kernelcov(["which", "pipe_wriet", "--run", RUN]);
  assert.equal(status, 2);
  assert.match(
    stderr,
    /no function and no file "pipe_wriet" with coverage points: did you mean pipe_write\?$/m,
  );
});

test("half of a merged run is none", () => {
  inFolder((folder) => {
    const out = join(folder, "merged");
    const full = shell(LIMITED, ["merge", MANY, RUN, "--out", out]);
    assert.equal(full.status, 1);
    assertOneLine(full, /^kernelcov: Cannot write the run to \S+merged: EFBIG: /);
    assert.deepEqual(readdirSync(out), []);
    assert.equal(kernelcov(["merge", MANY, RUN, "--out", out]).status, 0);
    const again = kernelcov(["merge", MANY, "--out", out]);
    assert.equal(again.status, 2);
    assertOneLine(again, /holds records already: name a new folder$/m);
  });
});

test("what a run lacks is told, also of the run that it was merged into", () => {
  inFolder((folder) => {
    const run = join(folder, "run");
    cpSync(MANY, run, { recursive: true });
    const file = join(run, readdirSync(run)[0]!);
    const lines = readFileSync(file, "utf8").split("\n");
    // A damaged line, and none of the end.
    writeFileSync(file, [...lines.slice(0, 5), "x", ...lines.slice(6, -2), ""].join("\n"));
    const lacks = [
      /^ {2}this run did not finish: what came after "test 19" is missing$/m,
      /^ {2}damaged: 1 record could not be read back$/m,
    ];
    const report = kernelcov(["report", run, "--out", folder, "--json", join(folder, "json")]);
    for (const lack of lacks) assert.match(report.stdout, lack);
    const { damagedRecords, cutAfter } = JSON.parse(readFileSync(join(folder, "json"), "utf8"));
    assert.deepEqual([damagedRecords, cutAfter], [1, ["test 19"]]);
    let merged = run;
    for (const name of ["once", "twice"]) {
      const out = join(folder, name);
      const { stdout } = kernelcov(["merge", merged, RUN, "--out", out]);
      assert.match(stdout, /records; 1 damaged record left out; 1 record file had no end\n$/);
      merged = out;
    }
    const again = kernelcov(["report", merged, "--out", folder, "--vmlinux", IMAGE.path]);
    for (const lack of lacks) assert.match(again.stdout, lack);
  });
});

test("a folder without a run, or none at all, is one line that says what to change", () => {
  inFolder((folder) => {
    const none = join(folder, "none");
    for (
      const args of [["report", none], ["which", "x", "--run", none], ["merge", none, "--out", "m"]]
    ) {
      const result = kernelcov(args);
      assert.notEqual(result.status, 0);
      assertOneLine(
        result,
        /^kernelcov: There is no folder \S+none: run the tests first, or name /,
      );
    }
    for (const args of [["report", folder], ["show", "x", "--run", folder]]) {
      assertOneLine(
        kernelcov(args),
        /^kernelcov: run: \S+ holds no records: run the tests first\n$/,
      );
    }
    writeFileSync(join(folder, "file"), "");
    const file = join(folder, "file");
    assertOneLine(kernelcov(["report", file]), /^kernelcov: There is no folder \S+file: /);
    mkdirSync(join(folder, "out"));
    symlinkSync(RUN, join(folder, "out/run"));
    const out = kernelcov(["which", "pipe_write", "--run", join(folder, "out"), "--plain"]);
    assert.equal(out.stdout, "tests/pipe_test.ts: writes\n");
  });
});

test("an output folder that cannot be written to is told before anything runs", () => {
  inFolder((folder) => {
    writeFileSync(join(folder, "file"), "");
    const out = ["--out", join(folder, "file")];
    for (const name of ["test", "record"]) {
      const mark = join(folder, name);
      const result = kernelcov([name, "--kernel", "embedded", ...out, "--", "touch", mark]);
      assert.equal(result.status, 1);
      assertOneLine(result, /^kernelcov: Cannot write to \S+: E\w+: name a folder .*--out\n$/);
      assert.ok(!existsSync(mark));
    }
  });
});

test("FIFOs, devices and endless files are refused wherever a file is read", () => {
  inFolder((folder) => {
    const fifo = join(folder, "fifo");
    execFileSync("mkfifo", [fifo]);
    const refused =
      /^kernelcov: Cannot read \S+: it is (a FIFO|a device|a folder): name a regular file\n/;
    for (const path of [fifo, "/dev/zero", folder]) {
      for (
        const args of [
          ["symbolize", "--image", path, "0x401000"],
          ["report", RUN, "--vmlinux", path, "--out", folder],
          ["which", "--diff", path, "--run", RUN],
          ["report", RUN, "--out", folder, "--html", join(folder, "html"), "--patch", path],
        ]
      ) {
        const result = kernelcov(args);
        assert.notEqual(result.status, 0, args.join(" "));
        assertOneLine(result, refused);
      }
    }
    const records = join(folder, "records");
    mkdirSync(records);
    execFileSync("mkfifo", [join(records, "0-1-2.x.records")]);
    const report = kernelcov(["report", records]);
    assertOneLine(report, /holds no record file that can be read: run the tests first$/m);
    const index = readdirSync(join(CACHE, "kernelcov/index")).find((name) =>
      name.endsWith(".index")
    );
    rmSync(join(CACHE, "kernelcov/index", index!));
    execFileSync("mkfifo", [join(CACHE, "kernelcov/index", index!)]);
    assert.equal(kernelcov(["which", "pipe_write", "--run", RUN]).status, 0);
  });
});

test("a patch comes from a file, from standard input or from the shell's own descriptor, and ends", () => {
  inFolder((folder) => {
    const patch = join(folder, "a.patch");
    writeFileSync(patch, "--- a/fs/Kconfig\n+++ b/fs/Kconfig\n@@ -1 +1 @@\n-a\n+b\n");
    const answer = kernelcov(["which", "--run", RUN, "--diff", patch]).stdout;
    assert.match(answer, /Kconfig/);
    assert.equal(shell(`cat ${patch} | "$@"`, ["which", "--run", RUN]).stdout, answer);
    assert.equal(shell(`"$@" --diff <(cat ${patch})`, ["which", "--run", RUN]).stdout, answer);
    const endless = shell('"$@" </dev/zero', ["which", "--run", RUN]);
    assert.equal(endless.status, 2);
    assertOneLine(endless, /^kernelcov: Cannot read standard input: it is longer than any patch: /);
  });
});
