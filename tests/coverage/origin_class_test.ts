import assert from "node:assert/strict";
import { test } from "node:test";
import { ORIGIN_CLASSES, originClass } from "../../src/coverage/origin_class.ts";
import { KCOV_CALL, KCOV_CALL_COMPAT, KCOV_HOW, KCOV_HOW_SHIFT } from "../../src/kcov/origin.ts";
import { callsNamed } from "../../src/kcov/system_calls.ts";

const MACHINES = ["x86_64", "aarch64", "riscv64"];

function origin(how: keyof typeof KCOV_HOW, call: number): number {
  return KCOV_HOW[how] << KCOV_HOW_SHIFT | call;
}

function call(name: string, machine: string): number {
  const [found] = callsNamed(machine, name);
  assert.ok(found !== undefined, `${machine} has ${name}`);
  return found;
}

test("what a test's tasks call is its own, and what is put off to the return of the call", () => {
  for (const machine of MACHINES) {
    for (const how of ["own", "child", "taskWork", "thread"] as const) {
      for (const name of ["openat", "connect", "write", "io_uring_enter"]) {
        assert.equal(originClass(origin(how, call(name, machine)), { machine }), "own", name);
      }
      assert.equal(originClass(origin(how, KCOV_CALL.exec), { machine }), "own");
    }
    for (const name of ["futex", "mmap", "brk"]) {
      assert.equal(originClass(origin("own", call(name, machine)), { machine }), "own");
      assert.equal(originClass(origin("child", call(name, machine)), { machine }), "own");
    }
    for (const other of [KCOV_CALL.none, KCOV_CALL.signal, KCOV_CALL.exit]) {
      assert.equal(originClass(origin("own", other), { machine }), "own");
    }
  }
});

test("housekeeping of other threads, and all of the first, is the runtime's, by each machine's numbers", () => {
  for (const machine of MACHINES) {
    const names = ["futex", "sched_yield", "rt_sigprocmask", "clone", "clock_nanosleep"];
    for (const name of [...names, "epoll_pwait", "mmap", "madvise", "gettid", "membarrier"]) {
      const number = call(name, machine);
      assert.equal(originClass(origin("thread", number), { machine }), "runtime", name);
      assert.equal(originClass(origin("main", number), { machine }), "runtime", name);
    }
    assert.equal(originClass(origin("main", call("openat", machine)), { machine }), "runtime");
    for (const other of [KCOV_CALL.none, KCOV_CALL.signal, KCOV_CALL.exit]) {
      assert.equal(originClass(origin("thread", other), { machine }), "runtime");
    }
  }
  // One number, two calls.
  assert.equal(originClass(origin("thread", 98), { machine: "aarch64" }), "runtime", "futex");
  assert.equal(originClass(origin("thread", 98), { machine: "x86_64" }), "own", "getrusage");
  const compat = callsNamed("x86_64", "mmap2").find((number) => number >= KCOV_CALL_COMPAT);
  assert.equal(originClass(origin("thread", compat!), { machine: "x86_64" }), "runtime");
  // Where names are not known, no call is taken for housekeeping.
  assert.equal(originClass(origin("thread", 98), { machine: "vax" }), "own");
});

test("nothing of threads that several tests shared is one test's", () => {
  const machine = "x86_64", threadsShared = true;
  for (const number of [call("openat", machine), call("futex", machine), KCOV_CALL.pageFault]) {
    assert.equal(originClass(origin("thread", number), { machine, threadsShared }), "runtime");
    assert.notEqual(originClass(origin("own", number), { machine, threadsShared }), "runtime");
  }
});

test("page faults of the test's process are faults, those of a child its own; code loading always", () => {
  for (const machine of MACHINES) {
    const classes = (["own", "thread", "main", "child", "work"] as const).map((how) => [
      originClass(origin(how, KCOV_CALL.pageFault), { machine }),
      originClass(origin(how, KCOV_CALL.codeFault), { machine }),
    ]);
    assert.deepEqual(classes, [
      ["faults", "faults"],
      ["faults", "faults"],
      ["runtime", "faults"],
      ["own", "faults"],
      ["behalf", "faults"],
    ]);
  }
});

test("what the kernel does later or elsewhere is on behalf, whatever call it goes back to", () => {
  const machine = "x86_64";
  const ways = ["kthread", "work", "timer", "rcu", "net", "ioWorker", "tasklet", "irqWork", "bio"];
  for (const how of ways as (keyof typeof KCOV_HOW)[]) {
    for (const number of [call("sendto", machine), call("futex", machine), KCOV_CALL.exit]) {
      assert.equal(originClass(origin(how, number), { machine }), "behalf", how);
    }
  }
  for (let number = 0; number <= 0xffff; number++) {
    assert.ok(ORIGIN_CLASSES.includes(originClass(number, { machine })));
  }
});
