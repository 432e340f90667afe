import assert from "node:assert/strict";
import { test } from "node:test";
import { types } from "node:util";
import type { TestOutcome } from "../../src/record/test_record.ts";
import { runtimeName } from "../../src/sys/runtime.ts";
import { type CallOptions, coveredCall } from "../../src/hook/body/covered_call.ts";
import { coveredFunction, type TestBody } from "../../src/hook/body/covered_function.ts";
import { runningTests } from "../../src/hook/running_test.ts";
import type { TestCoverage } from "../../src/hook/test_coverage.ts";

const isDeno = runtimeName() === "deno";

/** Calls a body as a runner does, waits as it does, and tells what became of the coverage. */
async function outcomeOf(
  body: TestBody,
  { args = [], ...options }: CallOptions & { args?: unknown[] } = {},
): Promise<{ outcome: TestOutcome | undefined; asynchronous: boolean; error?: unknown }> {
  let outcome: TestOutcome | undefined;
  let asynchronous = false;
  const coverage = {
    end: (of: TestOutcome) => outcome ??= of,
    // As those of the hook: what comes behind the end is no matter.
    markAsynchronous: () => asynchronous ||= outcome === undefined,
  } as unknown as TestCoverage;
  const covered = coveredFunction(
    body,
    (passed) => coveredCall({ coverage, fromPreload: true }, passed, options),
  );
  let error: unknown;
  try {
    const result: unknown = covered(...args);
    // Bun waits for promises only.
    if (isDeno || types.isPromise(result)) await result;
  } catch (thrown) {
    error = thrown;
  }
  return { outcome, asynchronous, ...(error === undefined ? {} : { error }) };
}

/** Waits as the runner does that asks promises for their `then`. */
async function asRunner(result: unknown): Promise<void> {
  if (isDeno) await result;
}

const failure = new Error("of the body");
const wait = (ms = 1) => new Promise((resolve) => setTimeout(resolve, ms));

test("a body that returns passes, whatever it returns", async () => {
  const values = [undefined, null, 0, "text", failure, () => {}, {}, Object.create(null)];
  for (const value of values) {
    assert.deepEqual(await outcomeOf(() => value), { outcome: "passed", asynchronous: false });
  }
});

test("a body that throws fails, whatever it throws", async () => {
  for (const value of [failure, "text", null]) {
    const told = await outcomeOf(() => {
      throw value;
    });
    assert.deepEqual(told, { outcome: "failed", asynchronous: false, error: value });
  }
});

test("a promise decides when it is settled, before the runner goes on", async () => {
  assert.deepEqual(await outcomeOf(() => wait()), { outcome: "passed", asynchronous: true });
  assert.deepEqual(await outcomeOf(() => Promise.reject(failure)), {
    outcome: "failed",
    asynchronous: true,
    error: failure,
  });
});

test("a promise of a class is asked without its then, and makes no other of its class", async () => {
  let asked = 0, made = 0;
  class Lazy extends Promise<void> {
    constructor(executor: ConstructorParameters<typeof Promise<void>>[0]) {
      super(executor);
      made++;
    }
    // deno-lint-ignore no-explicit-any -- as Promise has it
    override then(...args: any[]): any {
      asked++;
      return super.then(...args);
    }
  }
  const promise = new Lazy((resolve) => resolve());
  const plain = { asked, made };
  await asRunner(promise);
  const runners = { asked: asked - plain.asked, made: made - plain.made };
  const before = { asked, made };
  const second = new Lazy((resolve) => resolve());
  const coverage = { end() {}, markAsynchronous() {} } as unknown as TestCoverage;
  const given: unknown = coveredFunction(
    () => second,
    (args) => coveredCall({ coverage, fromPreload: true }, args),
  )();
  assert.equal(given, second, "the runner gets the promise itself");
  assert.equal(Object.hasOwn(second, "constructor"), false);
  await asRunner(given);
  assert.deepEqual(
    { asked: asked - before.asked, made: made - before.made },
    { asked: runners.asked, made: runners.made + 1 },
  );
});

test("an object with a function then is asked once where the runner asks it", async () => {
  let asked = 0;
  function thenable(settle: (resolve: () => void, reject: (error: unknown) => void) => void) {
    return () => ({
      then(resolve: () => void, reject: (error: unknown) => void) {
        asked++;
        settle(resolve, reject);
      },
    });
  }
  const passed = await outcomeOf(thenable((resolve) => resolve()));
  const failed = await outcomeOf(thenable((_, reject) => reject(failure)));
  const threw = await outcomeOf(thenable(() => {
    throw failure;
  }));
  const fail = { outcome: "failed", asynchronous: true, error: failure };
  const ended = { outcome: "passed", asynchronous: false };
  assert.deepEqual(passed, isDeno ? { outcome: "passed", asynchronous: true } : ended);
  assert.deepEqual(failed, isDeno ? fail : ended);
  assert.deepEqual(threw, isDeno ? fail : ended);
  assert.equal(asked, isDeno ? 3 : 0);
});

test("a result that refuses to be looked at is the runner's to see", async () => {
  function refuse(): never {
    throw failure;
  }
  const refusing = new Proxy({}, { get: refuse, has: refuse, getPrototypeOf: refuse });
  const told = await outcomeOf(() => refusing);
  if (isDeno) assert.deepEqual(told, { outcome: "failed", asynchronous: false, error: failure });
  else assert.equal(told.outcome, "passed", "Bun does not look at it");
});

test("a then that never calls back leaves the coverage open where the runner waits for it", async () => {
  let outcome: TestOutcome | undefined;
  const coverage = {
    end: (of: TestOutcome) => outcome ??= of,
    markAsynchronous() {},
  } as unknown as TestCoverage;
  const covered = coveredFunction(
    () => ({ then() {} }),
    (args) => coveredCall({ coverage, fromPreload: true }, args),
  );
  const result = covered();
  if (isDeno) void (async () => await result)();
  await wait();
  assert.equal(outcome, isDeno ? undefined : "passed");
});

test("a callback decides, and gets what the body gave it", async () => {
  let given: unknown[] = [];
  function done(...args: unknown[]): void {
    given = args;
  }
  const options = { args: [1, done], done: 1 };
  const passed = await outcomeOf((_row: number, done: () => void) => done(), options);
  assert.deepEqual(passed, { outcome: "passed", asynchronous: false });
  assert.deepEqual(given, []);
  const failed = await outcomeOf(
    (_row: number, done: (error: unknown) => void) => done(failure),
    options,
  );
  assert.equal(failed.outcome, "failed");
  assert.deepEqual(given, [failure]);
  const waits = await outcomeOf((_row: number, _done: () => void) => {}, options);
  assert.deepEqual(waits, { outcome: undefined, asynchronous: true });
});

test("the test's outcome may differ from its body's", async () => {
  const turned = (of: TestOutcome): TestOutcome => of === "passed" ? "failed" : "passed";
  assert.equal((await outcomeOf(() => {}, { outcomeOf: turned })).outcome, "failed");
  assert.equal(
    (await outcomeOf(() => Promise.reject(failure), { outcomeOf: turned })).outcome,
    "passed",
  );
});

test("code knows the test that it runs in, until that has ended", async () => {
  runningTests.clear();
  let coverage: unknown;
  await outcomeOf(async () => {
    coverage = runningTests.get()?.coverage;
    await wait();
    assert.equal(runningTests.get()?.coverage, coverage);
  });
  assert.notEqual(coverage, undefined);
  assert.equal(runningTests.get(), undefined);
});
