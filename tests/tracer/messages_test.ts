import assert from "node:assert/strict";
import { test } from "node:test";
import {
  decodeMessage,
  HEADER_BYTES,
  MAILBOX_BYTES,
} from "../../src/tracer/boundary/boundary_message.ts";
import { parseSuperviseArguments, superviseArguments } from "../../src/tracer/supervise_options.ts";
import { parseTaskStatus } from "../../src/tracer/tasks/task_status.ts";

function mailbox(text: string, length?: number): Uint8Array {
  const bytes = new Uint8Array(MAILBOX_BYTES);
  const payload = new TextEncoder().encode(text);
  new DataView(bytes.buffer).setUint32(0, length ?? payload.length, true);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

test("a mailbox holds a message or none", () => {
  for (const what of ["hello", "baseline"]) {
    assert.deepEqual(decodeMessage(mailbox(`{"do":"${what}"}`)), { do: what });
  }
  const end = { do: "end", test: 3, outcome: "failed" };
  assert.deepEqual(decodeMessage(mailbox(JSON.stringify(end))), end);
  for (
    const text of ["", "{", "null", "7", '{"do":"jump"}', '{"do":"begin","test":1}', '{"do":"end"}']
  ) assert.equal(decodeMessage(mailbox(text)), null, text);
  assert.equal(decodeMessage(mailbox('{"do":"hello"}', MAILBOX_BYTES)), null);
});

test("the supervisor reads the options that its starter writes", () => {
  const options = {
    command: ["sh", "-c", "exit 1", "--", "--run=x"],
    runDirectory: "/tmp/a run",
    run: "0011aabb-12-34",
    mode: "trace",
    words: 4096,
    record: true,
    collect: true,
    compare: true,
    runners: [{ name: "a", testArgument: "--test", preload: "/a b", preloadArguments: ["/a b"] }],
    onlyPreload: true,
    mainline: true,
    noFollow: ["gdb", "a program"],
  } as const;
  assert.deepEqual(parseSuperviseArguments(superviseArguments(options)), options);
  for (const args of [[], ["--run=x"], ["--run=x", "--"], ["--", "true"]]) {
    assert.throws(() => parseSuperviseArguments(args), TypeError);
  }
  const badMode = ["--run=x", "--mode=all", "--", "true"];
  assert.throws(() => parseSuperviseArguments(badMode), /use auto, unique or trace/);
});

const STATUS = `Name:\tstrange name)
Umask:\t0022
State:\tt (tracing stop)
Tgid:\t120
Pid:\t121
PPid:\t7
Uid:\t0\t0\t0\t65534
Gid:\t0\t0\t0\t100
NSpid:\t121\t2
SigBlk:\tfffffffe7ffbfeff
SigIgn:\t0000000000001000
SigCgt:\t0000000180000010
Seccomp:\t2
Seccomp_filters:\t1
`;

test("a task's status tells its process, its signals, and whether it lives in a namespace", () => {
  assert.deepEqual(parseTaskStatus(STATUS), {
    name: "strange name)",
    tgid: 120,
    parent: 7,
    fileUser: 65534,
    fileGroup: 100,
    seccomp: 2,
    ownNamespace: true,
    blocked: 0xffff_fffe_7ffb_feffn,
    ignored: 0x1000n,
    caught: 0x1_8000_0010n,
  });
  assert.equal(parseTaskStatus(STATUS.replace("\t2\nSigBlk", "\nSigBlk")).ownNamespace, false);
  assert.equal(parseTaskStatus(STATUS.replace(/Seccomp.*\n/g, "")).seccomp, 0);
});
