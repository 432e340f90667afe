// Bun's node:test gives each test to bun:test as a function of its own, which is done when it calls what it was given:
// Bun marks a test as skipped by that very function, so that it cannot be replaced.
import { AsyncLocalStorage } from "node:async_hooks";
import { createRequire } from "node:module";
import type { TestOutcome } from "../../record/test_record.ts";
import type { TestBody } from "../../hook/body/covered_function.ts";

/** The parts of `node:test` used here. */
interface NodeTest {
  afterEach(hook: (test: { readonly passed: boolean }) => void): void;
}

const { apply } = Reflect;
const { toString: functionText } = Function.prototype;
const require = createRequire(import.meta.url);
/** Runs a function outside of all tests and suites. */
const outside = AsyncLocalStorage.snapshot();

/** The file whose tests are followed. */
let followed: string | undefined;
let outcome: TestOutcome | undefined;

/** Whether a body is node:test's own, which calls the test's. */
export function isNodeTest(body: TestBody): boolean {
  return apply(functionText, body, []).includes("markCurrentResult(");
}

/** Learns the outcomes of the tests of `node:test` in a file, by a hook of it. */
export function followNodeTests(file: string): void {
  if (followed === file) return;
  followed = file;
  const { afterEach } = require("node:test") as NodeTest;
  outside(() => {
    afterEach((test) => {
      outcome = test.passed ? "passed" : "failed"; // of subtests first, of the whole test last
    });
  });
}

/** The outcome of the test of `node:test` that has just ended, once; that of one whose file is not followed is unknown. */
export function takeNodeOutcome(): TestOutcome | undefined {
  const taken = outcome;
  outcome = undefined;
  return taken;
}
