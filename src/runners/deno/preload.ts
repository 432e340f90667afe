// Covers every test of `deno test --preload=<this file>`, with no change to test files. Runs once per test file, on
// the thread of its tests.
import { recordBaseline } from "../baseline.ts";
import { coveredCall } from "../../hook/body/covered_call.ts";
import {
  coveredFunction,
  precededFunction,
  type TestBody,
} from "../../hook/body/covered_function.ts";
import { CoveredTests } from "../covered_tests.ts";
import { withOwnBuiltins } from "../../hook/own_builtins.ts";
import type { TestCoverage } from "../../hook/test_coverage.ts";
import { contextName, currentFile, type TestContext } from "../../hook/test_name.ts";
import { unseenScript } from "../../hook/body/unseen_script.ts";

/** What Deno passes to a test and to a step. */
interface StepContext extends TestContext {
  step: (...args: unknown[]) => Promise<boolean>;
}

/** `Deno.test` and its variants: `only`, `ignore`, and `each` of all three. */
interface TestFunction {
  (...args: unknown[]): void;
  only?: TestFunction;
  ignore?: TestFunction;
  each?: (...cases: unknown[]) => TestFunction;
  afterEach?: (hook: () => void) => void;
}

const deno = (globalThis as unknown as { Deno: { test: TestFunction; mainModule: string } }).Deno;
// Before that of what records: tests that are open then have failed.
addEventListener("unload", () => tests.endFile());
const tests = new CoveredTests();
const file = currentFile();

/**
 * A function that calls `real` with changed arguments. Deno reports a test at the first frame of the stack that is no
 * part of the runtime; a script named as one of the runtime's is passed over, so the caller's place is reported.
 */
const passOver = unseenScript(
  `(function (apply) {
    return (real, change) => new Proxy(real, {
      apply(target, self, args) { return apply(target, self, change(args)); },
    });
  })`,
)(Reflect.apply) as <Real extends (...args: never[]) => unknown>(
  real: Real,
  change: (args: unknown[]) => unknown[],
) => Real;

/** A test that steps are of. */
interface ParentTest {
  readonly coverage: TestCoverage;
  /** Whether a step has failed: Deno then reports the test as failed, whatever its body does. */
  failed: boolean;
}

/** `body` with coverage. The context is its last argument: rows of `each` come before. */
function covered(body: TestBody, parent?: ParentTest): TestBody {
  return coveredFunction(body, (args) => {
    const context = args[args.length - 1] as StepContext;
    const coverage = tests.begin(contextName(context), file, parent?.coverage);
    const test: ParentTest = { coverage, failed: false };
    if (tests.hasSteps) context.step = withCoveredBody(context.step, test);
    return coveredCall({ coverage, fromPreload: true }, args, {
      outcomeOf(outcome) {
        if (outcome === "passed" && !test.failed) return "passed";
        if (parent !== undefined) parent.failed = true;
        return "failed";
      },
    });
  });
}

/** A suite of node:test is a test to Deno, its tests and suites are steps: the suite itself gets no record. */
function coveredSteps(body: TestBody): TestBody {
  return precededFunction(body, (args) => {
    const context = args[args.length - 1] as StepContext;
    context.step = passOver(context.step, ([definition]) => {
      const { fn, ...rest } = definition as { fn: TestBody };
      // node:test's own functions: those of its tests are named by the property that holds them, those of suites not.
      return [{ ...rest, fn: fn.name === "" ? coveredSteps(fn) : covered(fn) }];
    });
  });
}

/** Wraps a registering function so that the body among its arguments is covered, in any form that Deno accepts. */
function withCoveredBody<Real extends (...args: never[]) => unknown>(
  real: Real,
  parent: ParentTest | undefined,
): Real {
  return passOver(real, (args) =>
    withOwnBuiltins(() => {
      const cover = isSuite() ? coveredSteps : (body: TestBody) => covered(body, parent);
      const [first] = args;
      return args.map((value) => {
        if (typeof value === "function" && (value !== first || value.name !== "")) {
          return cover(value as TestBody);
        }
        if (
          typeof value === "object" && value !== null &&
          typeof (value as { fn?: unknown }).fn === "function"
        ) {
          return withBody(value as { fn: TestBody }, cover);
        }
        return value;
      });
    }));
}

/**
 * A test's definition with another body: all else is looked up in the definition itself, which may be of any class. Deno
 * puts a body of its own in the place of a step's.
 */
function withBody(definition: { fn: TestBody }, cover: (body: TestBody) => TestBody): unknown {
  let fn: unknown = cover(definition.fn);
  const own = Reflect.getOwnPropertyDescriptor(definition, "fn");
  if (own?.configurable === false) return { ...definition, fn };
  return new Proxy(definition, {
    get: (target, key) => key === "fn" ? fn : Reflect.get(target, key),
    set(target, key, value) {
      if (key !== "fn") return Reflect.set(target, key, value);
      fn = value;
      return true;
    },
  });
}

/** Whether node:test registers a suite now. Its functions are frames that Deno leaves out of `stack`. */
function isSuite(): boolean {
  const before = Reflect.getOwnPropertyDescriptor(Error, "prepareStackTrace");
  try {
    Error.prepareStackTrace = (_error, frames) => frames;
    const here: { stack?: unknown } = {};
    Error.captureStackTrace(here);
    const frames = here.stack as { getFunctionName(): string | null }[];
    return frames.some((frame) => /DenoTestForSuite$/.test(frame.getFunctionName() ?? ""));
  } finally {
    if (before === undefined) Reflect.deleteProperty(Error, "prepareStackTrace");
    else Object.defineProperty(Error, "prepareStackTrace", before);
  }
}

function coveredTest(real: TestFunction): TestFunction {
  const test = withCoveredBody(real, undefined);
  return new Proxy(test, {
    get(_target, key): unknown {
      const value = Reflect.get(real, key);
      if (key === "only" || key === "ignore") return coveredTest(value as TestFunction);
      if (key !== "each") return value;
      return (...cases: unknown[]) =>
        withCoveredBody((value as NonNullable<TestFunction["each"]>)(...cases), undefined);
    },
  });
}

const real = deno.test;
deno.test = coveredTest(real);
real.afterEach?.(() => tests.afterTest());
await recordBaseline(tests.recorder);
