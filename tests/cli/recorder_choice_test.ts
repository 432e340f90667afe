import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageError } from "../../src/cli/command_line.ts";
import { chooseRecorder } from "../../src/cli/recording/recorder_choice.ts";
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
