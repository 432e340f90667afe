import assert from "node:assert/strict";
import { test } from "node:test";
import { callSite, identify } from "../../src/hook/test_name.ts";

const FILE = "tests/hook/test_name_test.ts";

/** Stands for a wrapper: gives the name that a test wrapped here would have. */
function wrap(row: readonly unknown[] = []): string {
  return identify(undefined, row, callSite(wrap)).name;
}

const wrapper = { wrap };

/** Stands for a runner's test function. */
function declare(_name: unknown, ...rest: unknown[]): unknown {
  return rest.at(-1);
}

test("the option names a test before everything else", () => {
  const context = { name: "t", fullName: "s > t" };
  assert.equal(identify("given", [context], undefined).name, "given");
});

test("node:test's context gives the full name, wherever it stands", () => {
  const context = { name: "t", fullName: "suite > t" };
  assert.equal(identify(undefined, [context], undefined).name, "suite > t");
  assert.equal(identify(undefined, [1, "two", context], undefined).name, "suite > t");
});

test("the running test is named by node:test's own context", (t) => {
  const { name, file } = identify(undefined, [t], undefined);
  assert.equal(name, "the running test is named by node:test's own context");
  assert.equal(file, FILE);
});

test("a step's own context names its parent too", async (t) => {
  await t.test("step", (inner) => {
    const { name } = identify(undefined, [inner], undefined);
    assert.equal(name, "a step's own context names its parent too > step");
  });
});

test("Deno's contexts are joined from the outermost to the innermost", () => {
  function step() {}
  const outer = { name: "outer", step };
  const middle = { name: "middle", step, parent: outer };
  const inner = { name: "inner", step, parent: middle };
  assert.equal(identify(undefined, [inner], undefined).name, "outer > middle > inner");
});

test("a row that has a name is no context", () => {
  const site = callSite(wrap);
  assert.notEqual(identify(undefined, [{ name: "row" }], site).name, "row");
});

test("the string before the wrapper's call names the test", () => {
  assert.equal(declare("double", wrap()), "double");
  assert.equal(declare('it\'s "quoted" \\ \u{41}\x42', wrap()), 'it\'s "quoted" \\ AB');
  assert.equal(declare(`backtick, with (parens)`, wrap()), "backtick, with (parens)");
  assert.equal(declare("with options", { timeout: 5, retry: 1 }, wrap()), "with options");
  assert.equal(declare("through a namespace", wrapper.wrap()), "through a namespace");
  // deno-fmt-ignore
  assert.equal(declare(
    "on a line of its own",
    wrap()), "on a line of its own");
});

test("rows of test.each fill their label", () => {
  assert.equal(declare("%d and %s", wrap([1, "two", "more"])), "1 and two");
  assert.equal(declare("all of %j", wrap([{ a: 1 }])), 'all of {"a":1}');
  assert.equal(declare("$a.b of $c", wrap([{ a: { b: 3 } }])), "3 of $c");
  assert.equal(declare("100 %", wrap([])), "100 %");
});

test("a name that is not in the source is the place of the call", () => {
  const name = "computed";
  assert.match(String(declare(name, wrap())), new RegExp(`^${FILE}:\\d+$`));
  assert.match(String(declare(`part ${name}`, wrap())), new RegExp(`^${FILE}:\\d+$`));
});

test("a test without a place is unnamed", () => {
  assert.equal(identify(undefined, [], undefined).name, "unnamed test");
});
