import assert from "node:assert/strict";
import { test } from "node:test";
import { OpenTest } from "../../src/tracer/ledger/open_test.ts";
import {
  claimFrom,
  isShared,
  type OwnedTask,
  ownersOf,
  TestThread,
  TracedProcess,
} from "../../src/tracer/ledger/ownership.ts";
import { PointTable } from "../../src/tracer/ledger/point_table.ts";

const table = new PointTable();

function begun(name: string, thread: TestThread, parent: OpenTest | null = null): OpenTest {
  const test = new OpenTest(
    { name, file: "", runner: "", kind: "test", parent, startedAt: 0 },
    table,
  );
  thread.tests.push(test);
  return test;
}

function names(task: OwnedTask): string[] {
  return ownersOf(task).map(({ name }) => name);
}

function runner(threads: number): { process: TracedProcess; threads: TestThread[] } {
  const process = new TracedProcess(1, null);
  const all = Array.from({ length: threads }, () => new TestThread());
  for (const thread of all) process.testThreads.add(thread);
  return { process, threads: all };
}

test("a thread that runs tests works for its own, any other thread for all of the process", () => {
  const { process, threads: [one, two] } = runner(2);
  begun("a", one);
  begun("b", two);
  assert.deepEqual(names({ process, testThread: one }), ["a"]);
  assert.deepEqual(names({ process, testThread: two }), ["b"]);
  assert.deepEqual(names({ process, testThread: null }), ["a", "b"]);
});

test("a runner's own thread works for no test of its process, but for one that its process runs for", () => {
  const { threads: [outer], process: outerProcess } = runner(1);
  begun("outer", outer);
  const claim = claimFrom({ process: outerProcess, testThread: outer });
  for (const [claimed, expected] of [[null, []], [claim, ["outer"]]] as const) {
    const process = new TracedProcess(2, claimed);
    const thread = new TestThread();
    process.testThreads.add(thread);
    begun("inner", thread);
    assert.deepEqual(names({ process, testThread: null, isRunner: true }), expected);
  }
});

test("a process works for the test that was open on its creator, and for none after that", () => {
  const { process, threads: [thread] } = runner(1);
  const first = begun("first", thread);
  const claim = claimFrom({ process, testThread: thread });
  const child = { process: new TracedProcess(2, claim), testThread: null };
  const grandchild = { process: new TracedProcess(3, claimFrom(child)), testThread: null };
  assert.deepEqual([names(child), names(grandchild)], [["first"], ["first"]]);
  first.close(0);
  begun("second", thread);
  assert.deepEqual([names(child), names(grandchild)], [[], []]);
});

test("a process made while no test was open works for whatever its creator has open", () => {
  const { process, threads: [one, two] } = runner(2);
  const claim = claimFrom({ process, testThread: one });
  const child = { process: new TracedProcess(2, claim), testThread: null };
  const claimOfPool = claimFrom({ process, testThread: null });
  const ofPool = { process: new TracedProcess(3, claimOfPool), testThread: null };
  begun("a", one);
  begun("b", two);
  assert.deepEqual([names(child), names(ofPool)], [["a"], ["a", "b"]]);
});

test("what a worker process runs is not what another worker's tests run", () => {
  const coordinator = new TracedProcess(1, null);
  const workers = [2, 3].map((id) => {
    const process = new TracedProcess(id, claimFrom({ process: coordinator, testThread: null }));
    const thread = new TestThread();
    process.testThreads.add(thread);
    return { process, thread };
  });
  for (const { thread } of workers) begun(`test ${workers.length}`, thread);
  begun("own", workers[1].thread);
  assert.deepEqual(names({ process: workers[0].process, testThread: null }), ["test 2"]);
  assert.deepEqual(names({ process: coordinator, testThread: null }), []);
});

test("points are in doubt between tests, not between a test and its steps", () => {
  const { threads: [thread] } = runner(1);
  const outer = begun("outer", thread);
  const inner = begun("inner", thread, outer);
  const other = begun("other", thread);
  assert.equal(isShared([outer, inner]), false);
  assert.equal(isShared([outer, inner, other]), true);
  assert.equal(isShared([other]), false);
});

test("what a paused thread runs belongs to no test", () => {
  const { process, threads: [thread] } = runner(1);
  begun("a", thread);
  assert.deepEqual(names({ process, testThread: thread, paused: true }), []);
});
