// Covers every test of `bun test --preload <this file>`, with no change to test files. Runs once per run, or once per
// file with --isolate and --parallel. Imports nothing from "bun:test": the modules of test files must be the first.
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { recordBaseline } from "./baseline.ts";
import { coveredFunction, type TestBody } from "./covered_function.ts";
import { CoveredTests, currentFile } from "./covered_tests.ts";
import { eachLabel } from "./each_label.ts";
import { isThenable } from "./run_covered.ts";
import type { StartedCoverage } from "./started_coverage.ts";

// deno-lint-ignore ban-types -- the functions of bun:test are called with whatever test files pass
type Callable = Function & Record<string, unknown>;

/** How a registering function came about: by `.failing`, by `.each(cases)`. */
interface Variant {
  readonly failing: boolean;
  readonly cases: readonly unknown[] | null;
}

type Cover = (name: string, body: Callable, variant: Variant) => Callable;

const tests = new CoveredTests();
/** Names of the suites whose callback runs now. */
let suites: readonly string[] = [];

const CONDITIONS = new Set([
  "if",
  "skipIf",
  "todoIf",
  "failingIf",
  "concurrentIf",
  "serialIf",
]);

/** A registering function of bun:test, and its variants, with bodies covered. */
function registering(real: Callable, cover: Cover, variant: Variant): Callable {
  function register(...args: unknown[]): unknown {
    return callAtCallersLine(real, coveredArguments(args, cover, variant));
  }
  return new Proxy(register as unknown as Callable, {
    get(target, key): unknown {
      if (typeof key !== "string") return Reflect.get(target, key);
      const value = Reflect.get(real, key, real);
      if (typeof value !== "function") return value;
      if (key === "each") {
        return (cases: readonly unknown[]) =>
          registering(value.call(real, cases), cover, { ...variant, cases });
      }
      if (CONDITIONS.has(key)) {
        return (condition: unknown) =>
          registering(value.call(real, condition), cover, {
            ...variant,
            failing: variant.failing || (key === "failingIf" && Boolean(condition)),
          });
      }
      if (key in Function.prototype) return Reflect.get(target, key);
      const failing = variant.failing || key === "failing";
      return registering(value as Callable, cover, { ...variant, failing });
    },
  });
}

function coveredArguments(args: unknown[], cover: Cover, variant: Variant): unknown[] {
  const [label] = args;
  // describe(() => {}) has no name; a class or function before the body is one.
  const from = args.length === 1 ? 0 : 1;
  const at = args.findIndex((value, index) => index >= from && typeof value === "function");
  if (at < 0) return args;
  const body = args[at] as Callable;
  const name = at === 0 ? "" : typeof label === "function" ? label.name : String(label);
  const changed = [...args];
  // Bun passes a callback to bodies with a parameter for it.
  changed[at] = Object.defineProperties(cover(name, body, variant), {
    length: { value: body.length },
    name: { value: body.name },
  });
  return changed;
}

const callers = new Map<number, (real: Callable, args: unknown[]) => unknown>();
const ownPath = fileURLToPath(import.meta.url);

/** Line of the innermost frame on the stack that is part of a file other than this; 1 where there is none. */
function callersLine(): number {
  const holder: { stack?: string } = {};
  Error.captureStackTrace(holder);
  for (const frame of holder.stack?.split("\n") ?? []) {
    const place = /(?:^|[(\s])(?:file:\/\/)?(\/.*):(\d+):\d+\)?$/.exec(frame);
    if (place !== null && place[1] !== ownPath) return Number(place[2]);
  }
  return 1;
}

/**
 * Calls `real` from code that stands at the line of the test file's call: Bun's reports name the line of the innermost
 * frame that is no part of the runtime.
 */
function callAtCallersLine(real: Callable, args: unknown[]): unknown {
  const line = callersLine();
  let caller = callers.get(line);
  if (caller === undefined) {
    const source = `${"\n".repeat(line - 1)}(function (real, args) { return real(...args); })`;
    caller = (0, eval)(source) as (real: Callable, args: unknown[]) => unknown;
    callers.set(line, caller);
  }
  return caller(real, args);
}

function coverTest(name: string, body: Callable, variant: Variant): Callable {
  const path = suites;
  const file = currentFile();
  function begin(args: unknown[]): StartedCoverage {
    const label = variant.cases === null ? name : rowLabel(name, args, variant.cases);
    return outcomeOf(tests.begin([...path, label].join(" > "), file), variant.failing);
  }
  const covered = coveredFunction(body as unknown as TestBody, begin);
  return function (this: unknown, ...args: unknown[]): unknown {
    const done = doneAt(args, body, variant);
    if (done < 0) return covered.apply(this, args);
    const coverage = begin(args);
    const finish = args[done] as (error?: unknown) => void;
    args[done] = Object.assign((error?: unknown) => {
      coverage.end(error === undefined || error === null ? "passed" : "failed");
      finish(error);
    }, finish);
    return tests.runUntilDone(coverage, () => body.apply(this, args));
  } as unknown as Callable;
}

/** Index of the callback that Bun passes to a body that has a parameter for it; -1 where it passes none. */
function doneAt(args: readonly unknown[], body: Callable, { cases }: Variant): number {
  const last = args.length - 1;
  if (last < 0 || last + 1 !== body.length || typeof args[last] !== "function") return -1;
  if (cases === null) return last;
  const index = rowIndex(args, cases);
  const row = cases[index];
  return (Array.isArray(row) ? row.length : 1) < args.length ? last : -1;
}

function rowLabel(label: string, args: readonly unknown[], cases: readonly unknown[]): string {
  const index = rowIndex(args, cases);
  return index < 0 ? label : eachLabel(label, cases[index], index);
}

function rowIndex(args: readonly unknown[], cases: readonly unknown[]): number {
  return cases.findIndex((row) =>
    (Array.isArray(row) ? row : [row]).every((value, index) => Object.is(value, args[index]))
  );
}

/** For a test that is to fail, what its body does is the opposite of its outcome. */
function outcomeOf(coverage: StartedCoverage, failing: boolean): StartedCoverage {
  if (!failing) return coverage;
  const end = coverage.end.bind(coverage);
  coverage.end = (outcome) => end(outcome === "passed" ? "failed" : "passed");
  return coverage;
}

function coverSuite(name: string, body: Callable, variant: Variant): Callable {
  // A suite's callback runs after those around it have returned, so its path is that of its declaration.
  const path = suites;
  return function (this: unknown, ...args: unknown[]): unknown {
    const label = variant.cases === null ? name : rowLabel(name, args, variant.cases);
    const before = suites;
    suites = [...path, label];
    let result: unknown;
    try {
      result = body.apply(this, args);
    } finally {
      if (!isThenable(result)) suites = before;
    }
    if (!isThenable(result)) return result;
    return Promise.resolve(result).finally(() => suites = before);
  } as unknown as Callable;
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
bunTest.afterEach(() => tests.afterTest());
await recordBaseline();
