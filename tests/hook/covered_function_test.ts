import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { coveredFunction, inShapeOf, type TestBody } from "../../src/hook/body/covered_function.ts";
import { withKernelCoverage } from "../../src/hook/with_kernel_coverage.ts";
import { runtimeName } from "../../src/sys/runtime.ts";

/** A body in a wrapper that does nothing of its own. */
function wrapped(body: TestBody): TestBody {
  return coveredFunction(body, (args) => ({ args, threw() {}, returned: (result) => result }));
}

const KEY = Symbol("own");
const placed = Object.assign(() => {}, { [KEY]: 1, tag: "x" });
const BODIES: readonly TestBody[] = [
  function reads_a_file(_t: unknown) {},
  (_first: unknown, _second: unknown, _done: unknown) => {},
  async function waits(_t: unknown) {
    await null;
  },
  async (_t: unknown) => await null,
  function* yields() {
    yield 1;
  },
  async function* yields_later() {
    yield await Promise.resolve(1);
  },
  { method(_t: unknown) {} }.method,
  ((_first: unknown, ..._rest: unknown[]) => {}) as TestBody,
  ((_first = 1) => {}) as TestBody,
  (() => {}).bind(null),
  Math.max,
  placed,
  class Suite {} as unknown as TestBody,
];

/** All that a runner looks at in a function, and how. */
const LOOKS: Readonly<Record<string, (of: TestBody) => unknown>> = {
  "its type": (of) => typeof of,
  "its name": (of) => of.name,
  "its length, for a callback": (of) => of.length,
  "its text": (of) => String(of),
  "its text by toString": (of) => of.toString(),
  "its kind by its class": (of) => of.constructor,
  "its kind by its tag": (of) => Object.prototype.toString.call(of),
  "its prototype": (of) => Object.getPrototypeOf(of),
  "properties of its own": (of) => [
    (of as unknown as typeof placed)[KEY],
    (of as unknown as typeof placed).tag,
    Object.keys(of),
  ],
};

for (const [what, look] of Object.entries(LOOKS)) {
  test(`a wrapper is the body's equal in ${what}`, () => {
    for (const body of BODIES) assert.deepEqual(look(wrapped(body)), look(body), String(body));
  });
}

test("a wrapper passes this, the arguments and the result on", () => {
  const result = Promise.resolve();
  const told: unknown[] = [];
  const body = wrapped(function (this: unknown, ...args: unknown[]) {
    told.push(this, ...args);
    return result;
  });
  assert.equal(body.call("self", 1, 2), result);
  assert.deepEqual(told, ["self", 1, 2]);
  const strict = wrapped(function (this: unknown) {
    return this;
  });
  assert.equal(strict.call(undefined), undefined, "as the runners call it");
});

test("a wrapper of a class refuses to be called as the class does", () => {
  class Suite {}
  assert.throws(wrapped(Suite as unknown as TestBody), TypeError);
});

test("what a body throws goes on as it is, with the body's frame first", () => {
  const error = new RangeError("of the body");
  let threw = 0;
  const body = coveredFunction(
    () => {
      throw error;
    },
    (args) => ({ args, threw: () => threw++, returned: (result) => result }),
  );
  assert.throws(body, (thrown) => thrown === error);
  assert.equal(threw, 1);
});

test("a wrapper of a wrapper is the innermost body's equal", () => {
  const body = (_t: unknown): void => {};
  assert.equal(String(wrapped(wrapped(body))), String(body));
  assert.equal(wrapped(wrapped(body)).length, 1);
});

test("withKernelCoverage gives the body's name, and its length without the coverage", () => {
  const lengths = [
    withKernelCoverage(() => {}),
    withKernelCoverage((_cov) => {}),
    withKernelCoverage((_cov, _t: unknown) => {}),
    withKernelCoverage((_cov, _t: unknown, _done: unknown) => {}),
  ].map((of) => of.length);
  assert.deepEqual(lengths, [0, 0, 1, 2]);
  const reads = withKernelCoverage(function reads_a_file(cov, row: number) {
    return [cov.name, row];
  });
  assert.equal(reads.name, "reads_a_file");
  assert.match(String(reads), /^function reads_a_file\(cov/);
  assert.deepEqual(reads(7), ["reads_a_file", 7]);
});

test("withKernelCoverage of no function says what is missing", () => {
  assert.throws(() => withKernelCoverage(undefined as never), {
    name: "TypeError",
    message: /pass the test's body/,
  });
});

test("a callback in a runner's place has the runner's shape", () => {
  function done(_error: unknown): void {}
  const shaped = inShapeOf(done, (() => {}) as TestBody);
  assert.deepEqual([shaped.name, shaped.length, String(shaped)], ["done", 1, String(done)]);
});

/** What Deno and node:test read of a body, which {@linkcode LOOKS} must hold. */
const READ: Readonly<Record<string, readonly string[]>> = {
  deno: ["Symbol(Deno.test.location)", "length", "name"],
  bun: ["length", "name"], // bun:test takes nothing but functions, so only node:test is seen
};

test("runners read nothing else of a body", () => {
  const fixture = fileURLToPath(new URL("fixtures/watched_bodies.ts", import.meta.url));
  const { stdout, stderr } = spawnSync(
    process.execPath,
    runtimeName() === "deno" ? ["test", "-A", "--no-check", fixture] : ["test", fixture],
    { encoding: "utf8", env: { ...process.env, NO_COLOR: "1" } },
  );
  const read = new Set(stdout.match(/(?<=^read )\S+/gm));
  assert.deepEqual([...read].sort(), READ[runtimeName()], stdout + stderr);
});

test("withKernelCoverage names a test by the text before it, else by its body", () => {
  const declare = (_label: string, body: (...rest: unknown[]) => unknown) => body;
  const label = declare("by the text", withKernelCoverage((cov) => cov.name));
  assert.equal(label(), "by the text");
  const computed = declare(
    `by ${1 + 1}`,
    withKernelCoverage(function its_body(cov) {
      return cov.name;
    }),
  );
  assert.equal(computed(), "its_body");
});
