import assert from "node:assert/strict";
import { test } from "node:test";
import { cutLine } from "../../src/cli/recording/report_cut.ts";
import { testRecord } from "../_support/test_records.ts";

const ended = testRecord({ name: "ends" });
const cut = testRecord({ name: "is cut", outcome: "unfinished" });

test("a run that ended by itself has no line", () => {
  assert.equal(cutLine(undefined, [ended]), undefined);
  assert.equal(cutLine(undefined, []), undefined);
});

test("the line says what cut the run short, which test ran, and how many had ended", () => {
  assert.equal(
    cutLine("The command halted the guest", [ended, cut]),
    'The command halted the guest while "some_test.ts: is cut" ran: its record is unfinished; 1 test had ended',
  );
  assert.equal(cutLine("It ended", []), "It ended, before a test began");
  assert.equal(
    cutLine("The command halted the guest", [ended, ended]),
    "The command halted the guest while no test ran; 2 tests had ended",
  );
});

test("a command that ended in the middle of a test is told although nothing cut it short", () => {
  assert.match(cutLine(undefined, [cut])!, /^The command ended while "some_test.ts: is cut" ran/);
});

test("of a test and its step the step is named, and of many tests three", () => {
  const step = testRecord({ name: "is cut > step", outcome: "unfinished" });
  assert.match(
    cutLine("It ended", [cut, step])!,
    /^It ended while "some_test.ts: is cut > step" ran/,
  );
  const many = ["a", "b", "c", "d", "e"].map((name) =>
    testRecord({ name, file: "", outcome: "unfinished" })
  );
  assert.match(cutLine("It ended", many)!, /while "a", "b", "c" and 2 more ran: their records are/);
});

test("of a command that is one record there are no tests to tell of", () => {
  const command = testRecord({ name: "sh", kind: "command", outcome: "unfinished" });
  assert.equal(cutLine("It ended", [command]), "It ended: the record of the command is unfinished");
});
