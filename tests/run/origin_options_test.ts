import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { KCOV_CALL, KCOV_HOW, KCOV_HOW_SHIFT } from "../../src/kcov/origin.ts";
import { callsNamed } from "../../src/kcov/system_calls.ts";
import type { TestRecord } from "../../src/record/test_record.ts";
import { SmallImage } from "../_support/images/small_image.ts";
import { runCommandOn } from "../_support/images/small_image_command.ts";
import { originRecord } from "../_support/origin_records.ts";

const IMAGE = new SmallImage();
after(() => IMAGE[Symbol.dispose]());

function call(name: string, how: keyof typeof KCOV_HOW = "own"): number {
  return KCOV_HOW[how] << KCOV_HOW_SHIFT | callsNamed("x86_64", name)[0];
}

/** Each function of the image from another origin. */
const FUNCTIONS = {
  pipe_write: call("write"),
  pipe_read: call("connect", "net"),
  unix_never: call("futex", "thread"),
  unix_listen: KCOV_CALL.codeFault,
};

function record(name: string, parts: Partial<TestRecord> = {}): TestRecord {
  const origins = Object.entries(FUNCTIONS).map(([f, origin]) => [origin, IMAGE.pcsOf(f)] as const);
  return originRecord(Object.fromEntries(origins), { name, ...parts });
}

const RUN = IMAGE.writeRun("run", [record("with"), record("another")]);
const { origins: _, ...unknown } = record("without");
const MIXED = IMAGE.writeRun("mixed", [record("with"), unknown]);
const PLAIN = IMAGE.writeRun("plain", [unknown]);

function kernelcov(args: readonly string[]) {
  return runCommandOn(IMAGE, args);
}

/** Names of the functions that are hit in an LCOV file of the run, sorted. */
function reported(run: string, options: readonly string[] = []): string[] {
  const file = join(IMAGE.folder, "chosen.info");
  const out = join(IMAGE.folder, "out");
  const { status, stderr } = kernelcov([
    ...["report", run, "--out", out, "--lcov", file],
    ...options,
  ]);
  assert.deepEqual([status, stderr], [0, ""]);
  const text = readFileSync(file, "utf8");
  assert.equal(text, readFileSync(join(out, "lcov.info"), "utf8"));
  return [...text.matchAll(/^FNDA:[1-9]\d*,(\w+)$/gm)].map(([, name]) => name)
    .filter((name) => name in FUNCTIONS).sort();
}

test("LCOV has what tests caused, or one class of origins, one call or more, as the options say", () => {
  assert.deepEqual(reported(RUN), ["pipe_read", "pipe_write"]);
  const cases: Readonly<Record<string, readonly string[]>> = {
    "own": ["pipe_write"],
    "behalf": ["pipe_read"],
    "runtime": ["unix_never"],
    "faults": ["unix_listen"],
    "call:connect": ["pipe_read"],
    "call:page fault of code loading": ["unix_listen"],
    "call:futex": [],
    "own,call:connect": ["pipe_read", "pipe_write"],
  };
  for (const [origin, functions] of Object.entries(cases)) {
    assert.deepEqual(reported(RUN, ["--origin", origin]), functions, origin);
  }
  const all = ["pipe_read", "pipe_write", "unix_listen", "unix_never"];
  assert.deepEqual(reported(RUN, ["--include", "runtime,faults"]), all);
  assert.deepEqual(reported(RUN, ["--include", "runtime", "--include", "faults"]), all);
  assert.deepEqual(reported(RUN, ["--origin", "own", "--include", "faults"]), [
    "pipe_write",
    "unix_listen",
  ]);
});

test("a record without origins counts whole by default, and not where origins are asked for", () => {
  const all = ["pipe_read", "pipe_write", "unix_listen", "unix_never"];
  assert.deepEqual(reported(PLAIN), all);
  assert.deepEqual(reported(MIXED), all);
  assert.deepEqual(reported(MIXED, ["--origin", "own"]), ["pipe_write"]);
  const { status, stderr } = kernelcov(["report", PLAIN, "--origin", "own"]);
  assert.equal(status, 1);
  assert.match(stderr, /^kernelcov: Cannot select origins: no record of this run knows .*\n$/);
});

test("questions count the same origins", () => {
  function ask(...args: string[]): string {
    const { status, stdout, stderr } = kernelcov([...args, "--run", RUN]);
    assert.deepEqual([status, stderr], [0, ""]);
    return stdout;
  }
  assert.equal(ask("which", "unix_never", "--plain"), "");
  const both = "some_test.ts: with\nsome_test.ts: another\n";
  assert.equal(ask("which", "unix_never", "--include", "runtime", "--plain"), both);
  assert.equal(ask("which", "pipe_read", "--plain"), both);
  assert.equal(ask("which", "pipe_read", "--origin", "own", "--plain"), "");
  const functions = (...options: string[]): string => ask("show", "another", "--json", ...options);
  assert.ok(functions().includes("pipe_read") && !functions().includes('"unix_never"'));
  assert.ok(functions("--include", "runtime").includes('"unix_never"'));
  for (const command of ["minimize", "unique"]) {
    ask(command, "--origin", "call:connect");
  }
  ask("diff", "with", "another", "--origin", "runtime");
});

test("which says of a place how much of it runs in what does not count, and how that would", () => {
  function ask(args: readonly string[], input?: string): string {
    const { status, stdout, stderr } = runCommandOn(IMAGE, [...args, "--run", RUN], input);
    assert.deepEqual([status, stderr], [0, ""]);
    return stdout;
  }
  const hint =
    /^ {2}left out: \d points? in runtime threads: --include runtime counts (?:it|them)$/m;
  for (const place of ["unix_never", "net/unix/af_unix.c:8"]) {
    assert.match(ask(["which", place]), hint, place);
    assert.doesNotMatch(ask(["which", place, "--include", "runtime"]), /left out/);
    const [answer] = JSON.parse(ask(["which", place, "--json"]));
    assert.ok(answer.leftOut.only.runtime > 0 && answer.leftOut.several === 0);
  }
  assert.match(ask(["which", "net/unix"]), /left out: .* in runtime threads, .* in page faults/);
  assert.doesNotMatch(ask(["which", "pipe_write"]), /left out/);
  const patch = "--- a/net/unix/af_unix.c\n+++ b/net/unix/af_unix.c\n" +
    "@@ -10,1 +10,1 @@\n-\treturn pipe_poll(x + 1);\n+\treturn pipe_poll(x + 2);\n";
  const needed = ask(["which", "--diff", "-"], patch);
  assert.match(
    needed,
    /^0 tests\nOther tests may enter the changed functions in what does not count$/m,
  );
  assert.match(needed, hint);
  assert.match(ask(["which", "--diff", "-", "--include", "runtime"], patch), /^2 tests\n(?!Other)/);
});

test("wrong options are refused before anything is read, with what to change", () => {
  for (
    const [option, message] of [
      [["--origin", "owm"], /--origin: Unknown origin "owm": did you mean own\?/],
      [["--origin", "zzzzzz"], /use own, behalf, runtime, faults or call:NAME/],
      [
        ["--include", "call:read"],
        /--include takes classes only: name the call with --origin\n/,
      ],
      [["--origin", ""], /--origin: Unknown origin ""/],
    ] as const
  ) {
    const { status, stderr } = kernelcov(["report", "/nowhere", ...option]);
    assert.equal(status, 2, stderr);
    assert.match(stderr, message);
  }
  const { status, stderr } = kernelcov(["report", RUN, "--origin", "call:conect"]);
  assert.equal(status, 1);
  assert.match(
    stderr,
    /^kernelcov: There is no system call conect on x86_64: did you mean connect/,
  );
  const recording = kernelcov(["record", "--origin", "call:conect", "--", "/nowhere"]);
  assert.match(recording.stderr, /There is no system call conect/);
});
