import assert from "node:assert/strict";
import { test } from "node:test";
import { explainFailure, mapLimitHint } from "../../../src/machines/uml/guest_failure.ts";

const FACTS = { ptraceScope: undefined, maxMapCount: 65530 };

test("a refused ptrace is explained with what allows it: in a container, or under Yama", () => {
  const log = "check_ptrace : expected SIGSTOP, got status = 9\nptrace: Operation not permitted\n";
  assert.match(explainFailure(log, FACTS), /refuses ptrace.*--cap-add=SYS_PTRACE/);
  assert.match(
    explainFailure(log, { ...FACTS, ptraceScope: 3 }),
    /ptrace_scope is 3: run sysctl -w kernel\.yama\.ptrace_scope=1/,
  );
});

test("a panic is named, with the kernel's last lines", () => {
  const log = "Oops\nKernel panic - not syncing: Attempted to kill init!\nCall Trace:\n f+0x1\n";
  const message = explainFailure(log, FACTS);
  assert.match(message, /panicked \(Attempted to kill init!\)/);
  assert.match(message, /\nOops\nKernel panic - not syncing: Attempted to kill init!$/);
});

test("processes that died for want of mappings are explained with the limit and its change", () => {
  const log = "UML ran out of memory on the host side! vm.max_map_count has been reached.\n";
  assert.match(mapLimitHint(log, FACTS)!, /now 65530.*sysctl -w vm\.max_map_count/);
  assert.equal(mapLimitHint("all is well", FACTS), undefined);
});

test("a guest that ended without a message is not explained by guesses", () => {
  assert.match(explainFailure("", FACTS), /ended without a message/);
  assert.match(
    explainFailure("strange thing\nreboot: System halted\n", FACTS),
    /last lines may name the cause\nstrange thing$/,
  );
});

test("memory on a noexec file system is explained", () => {
  assert.match(explainFailure("/dev/shm must be not mounted noexec\n", FACTS), /TMPDIR/);
});

test("checks that went well, and other things that are not permitted, are no refused ptrace", () => {
  const log = "Checking that ptrace can change system call numbers...OK\n" +
    "[    0.510000] epollctl add err fd 5, Operation not permitted\n";
  assert.doesNotMatch(explainFailure(log, FACTS), /refuses ptrace/);
});

test("a guest that was killed while it started is explained by the signal", () => {
  const log = "[    0.000000] Linux version 6.12\n";
  assert.match(
    explainFailure(log, FACTS, "SIGKILL"),
    /ended by SIGKILL while it started: it was killed, or/,
  );
});
