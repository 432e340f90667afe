// Covers every test of `bun test --preload <this file>`, with no change to test files. Runs once per run, or once per
// file with --isolate and --parallel. Imports nothing from "bun:test": the modules of test files must be the first.
import { createRequire } from "node:module";
import { recordBaseline } from "../baseline.ts";
import { followNodeTests, isNodeTest, takeNodeOutcome } from "./node_tests.ts";
import { coveredCall } from "../../hook/body/covered_call.ts";
import { coveredFunction, inShapeOf, type TestBody } from "../../hook/body/covered_function.ts";
import { CoveredTests } from "../covered_tests.ts";
import { eachLabel } from "../../hook/each_label.ts";
import { followPromise } from "../../hook/body/follow_promise.ts";
import { withOwnBuiltins } from "../../hook/own_builtins.ts";
import { currentFile } from "../../hook/test_name.ts";
import { unseenScript } from "../../hook/body/unseen_script.ts";

// deno-lint-ignore ban-types -- the functions of bun:test are called with whatever test files pass
type Callable = Function & Record<string, unknown>;

/** How a registering function came about: by `.failing` or `.todo`, by `.each(cases)`. */
interface Variant {
  /** Whether its tests are to fail. */
  readonly failing: boolean;
  readonly cases: readonly unknown[] | null;
}

type Cover = (name: string, body: TestBody, variant: Variant) => TestBody;

const tests = new CoveredTests();
/** Names of the suites whose callback runs now. */
let suites: readonly string[] = [];

/** Tests of these variants are to fail. */
const FAILING = new Set(["failing", "failingIf", "todo", "todoIf"]);
const CONDITIONS = new Set(
  "if skipIf todoIf failingIf concurrentIf serialIf".split(" "),
);

const { apply } = Reflect;

/**
 * What a proxy does when it is asked for a member: `change` gets what `real` has. To look at one may be an error, as
 * with `only` in CI, which Bun shows with its stack: no frame of it is of this file.
 */
const membersOf = unseenScript(
  `(function () {
    "use strict";
    return (real, change) => ({
      get(target, key) {
        return typeof key === "string" ? change(key, real[key]) : target[key];
      },
    });
  })`,
)() as (real: Callable, change: (key: string, value: unknown) => unknown) => ProxyHandler<Callable>;

/** A registering function of bun:test, and its variants, with bodies covered. */
function registering(real: Callable, cover: Cover, variant: Variant): Callable {
  function register(...args: unknown[]): unknown {
    const changed = withOwnBuiltins(() => coveredArguments(args, cover, variant));
    // A call in tail position leaves no frame: Bun reports a test at the innermost one, which is its caller's.
    return apply(real, undefined, changed);
  }
  const target = inShapeOf(real as unknown as TestBody, register) as unknown as Callable;
  function member(key: string, value: unknown): unknown {
    if (typeof value !== "function") return value;
    if (key === "each") {
      return (cases: readonly unknown[], ...values: unknown[]) =>
        registering(value.call(real, cases, ...values), cover, { ...variant, cases });
    }
    if (CONDITIONS.has(key)) {
      return (condition: unknown) =>
        registering(value.call(real, condition), cover, {
          ...variant,
          failing: variant.failing || (FAILING.has(key) && Boolean(condition)),
        });
    }
    if (key in Function.prototype) return Reflect.get(target, key);
    const failing = variant.failing || FAILING.has(key);
    return registering(value as Callable, cover, { ...variant, failing });
  }
  // The target has what is not a variant: its own tag, and what `in` finds.
  return new Proxy(target, membersOf(real, member));
}

function coveredArguments(args: unknown[], cover: Cover, variant: Variant): unknown[] {
  const [label] = args;
  // describe(() => {}) has no name; a class or function before the body is one.
  const from = args.length === 1 ? 0 : 1;
  const at = args.findIndex((value, index) => index >= from && typeof value === "function");
  if (at < 0) return args;
  const name = at === 0 ? "" : typeof label === "function" ? label.name : String(label);
  const changed = [...args];
  changed[at] = cover(name, args[at] as TestBody, variant);
  return changed;
}

function coverTest(name: string, body: TestBody, variant: Variant): TestBody {
  const path = suites;
  const file = currentFile();
  const ofNode = isNodeTest(body);
  if (ofNode) followNodeTests(file);
  return coveredFunction(body, (args) => {
    const label = rowLabel(name, args, variant);
    const coverage = tests.begin([...path, label].join(" > "), file);
    if (ofNode) return tests.untilHooks(coverage, args);
    return coveredCall({ coverage, fromPreload: true }, args, {
      done: doneAt(args, body, variant),
      ...(variant.failing ? { outcomeOf: (of) => of === "passed" ? "failed" : "passed" } : {}),
    });
  });
}

/** Index of the callback that Bun passes to a body that has a parameter for it; -1 where it passes none. */
function doneAt(args: readonly unknown[], body: TestBody, { cases }: Variant): number {
  const last = args.length - 1;
  if (last < 0 || last + 1 !== body.length || typeof args[last] !== "function") return -1;
  if (cases === null) return last;
  const index = rowIndex(args, cases);
  const row = cases[index];
  return (Array.isArray(row) ? row.length : 1) < args.length ? last : -1;
}

function rowLabel(label: string, args: readonly unknown[], { cases }: Variant): string {
  if (cases === null) return label;
  const index = rowIndex(args, cases);
  try {
    return index < 0 ? label : eachLabel(label, cases[index], index);
  } catch {
    return label; // a value that cannot be printed any more
  }
}

function rowIndex(args: readonly unknown[], cases: readonly unknown[]): number {
  return cases.findIndex((row) =>
    (Array.isArray(row) ? row : [row]).every((value, index) => Object.is(value, args[index]))
  );
}

function coverSuite(name: string, body: TestBody, variant: Variant): TestBody {
  // A suite's callback runs after those around it have returned, so its path is that of its declaration.
  const path = suites;
  return coveredFunction(body, (args) => {
    const label = rowLabel(name, args, variant);
    const before = suites;
    suites = [...path, label];
    function leave(): void {
      suites = before;
    }
    return {
      args,
      threw: leave,
      returned(result) {
        if (!followPromise(result, leave, leave)) leave();
        return result;
      },
    };
  });
}

const require = createRequire(import.meta.url);
const bunTest = require("bun:test") as Record<string, Callable> & {
  mock: { module(name: string, factory: () => unknown): void };
  afterEach(hook: () => void): void;
};
const plain: Variant = { failing: false, cases: null };
const test = registering(bunTest.test, coverTest, plain);
const describe = registering(bunTest.describe, coverSuite, plain);
// The first reaches modules that are loaded from now on, the second those that another preload has bound already.
Object.assign(bunTest, { test, it: test, describe });
bunTest.mock.module("bun:test", () => ({ ...bunTest, test, it: test, describe }));
bunTest.afterEach(() => tests.afterTest(takeNodeOutcome()));
await recordBaseline(tests.recorder);
