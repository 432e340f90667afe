import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageError } from "../../src/cli/command_line.ts";
import { testCommand } from "../../src/cli/commands/test.ts";
import { chooseComparing, chooseRecorder } from "../../src/cli/recording/recorder_choice.ts";
import { KcovUnavailableError } from "../../src/errors.ts";

const HAS = { collectors: true }, LACKS = { collectors: false };

test("collectors are taken where the kernel has them, and ptrace elsewhere", () => {
  assert.equal(chooseRecorder("auto", HAS), "collectors");
  assert.equal(chooseRecorder("auto", LACKS), "ptrace");
  assert.equal(chooseRecorder("ptrace", HAS), "ptrace");
  assert.equal(chooseRecorder("collectors", HAS), "collectors");
});

test("an option that only ptrace can follow takes that, and rules the other out", () => {
  assert.equal(chooseRecorder("auto", HAS, "--no-follow"), "ptrace");
  assert.equal(chooseRecorder("ptrace", HAS, "--no-follow"), "ptrace");
  assert.throws(
    () => chooseRecorder("collectors", HAS, "--no-follow"),
    (error) =>
      error instanceof UsageError && /^--no-follow needs --recorder ptrace/.test(error.message),
  );
});

test("collectors that the kernel lacks, and a recorder that is none, are errors that say what to use", () => {
  assert.throws(
    () => chooseRecorder("collectors", LACKS),
    (error) => error instanceof KcovUnavailableError && /use --recorder ptrace/.test(error.message),
  );
  assert.throws(() => chooseRecorder("strace", HAS), UsageError);
});

test("comparisons are recorded by collectors, and by no tracer", () => {
  assert.equal(chooseComparing("auto", HAS), "collectors");
  assert.equal(chooseComparing("collectors", HAS), "collectors");
  for (const asked of ["auto", "collectors"]) {
    assert.throws(
      () => chooseComparing(asked, LACKS),
      (error) => error instanceof KcovUnavailableError && error.reason === "not-built-in",
    );
  }
  assert.throws(() => chooseComparing("auto", LACKS), /use --scope thread, or --kernel embedded/);
  assert.throws(() => chooseComparing("ptrace", HAS), /A tracer does not record comparisons/);
  assert.throws(() => chooseComparing("auto", HAS, "--no-follow"), /leave out --no-follow/);
  assert.throws(() => chooseComparing("strace", HAS), UsageError);
});

test("options of test that exclude each other are refused, each with what to leave out", async () => {
  const cases: [string[], RegExp][] = [
    [["--mode", "all"], /Unknown mode "all": use pc, cmp, trace/],
    [["--remote", "pci"], /"pci" is no source of remote coverage: use common, or usb:N/],
    [["--remote", ""], /--remote names no source/],
    [["--remote", "common", "--scope", "tree"], /--remote is of the testing thread/],
    [["--remote", "common", "--mode", "cmp"], /--remote is of points: leave out --mode cmp/],
  ];
  for (const [args, message] of cases) {
    await assert.rejects(
      async () => await testCommand.run([...args, "--", "deno", "test"]),
      (error) => error instanceof UsageError && message.test(error.message),
      args.join(" "),
    );
  }
});
