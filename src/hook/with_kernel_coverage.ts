import { KcovUnavailableError } from "../errors.ts";
import { coveredCall, repeatedBody } from "./body/covered_call.ts";
import { coveredFunction, plainCall, type TestBody } from "./body/covered_function.ts";
import { checkRemoteSource, type RemoteSource } from "../kcov/remote/remote_sources.ts";
import { isFaultRun } from "./faults/fault_state.ts";
import { MissingCoverage } from "./missing_coverage.ts";
import type { KernelCoverage } from "./kernel_coverage.ts";
import { checkFaults, type FaultOptions } from "./faults/fault_plan.ts";
import { isRecordMode, RECORD_MODES, type RecordMode } from "./mode.ts";
import { withOwnBuiltins } from "./own_builtins.ts";
import { runningTests } from "./running_test.ts";
import { prepareThread, startCoverage } from "./start_coverage.ts";
import { AdoptedCoverage } from "./test_coverage.ts";
import { type CallSite, callSite, identify, isContext } from "./test_name.ts";

/**
 * Options of {@linkcode withKernelCoverage}.
 *
 * @see `include/uapi/linux/kcov.h` of Linux for modes and remote coverage; docs/error-paths.md for failures
 *
 * @example
 * ```ts
 * import { type KernelCoverageOptions, withKernelCoverage } from "kernelcov";
 * const options: KernelCoverageOptions = { name: "pipes > a pipe carries bytes", mode: "trace" };
 * withKernelCoverage(() => {}, options);
 * ```
 */
export interface KernelCoverageOptions {
  /** Full name of the test, to use instead of the runner's own. */
  readonly name?: string;
  /**
   * What is recorded: `pc`, the default, which coverage points ran; `trace`, also in which order they did on the test's
   * thread, for `kernelcov trace`; `cmp`, what the kernel compared, in place of points, for `cov.comparisons` and
   * `kernelcov comparisons`. Neither where a tracer follows the tests; one line per run says so.
   */
  readonly mode?: RecordMode;
  /**
   * Whose work in the kernel's own tasks is recorded too, where the kernel passes a handle on (`KCOV_REMOTE_ENABLE`):
   * `common`, what it does for this test's thread; `usb:N`, what it does for USB bus N. In `thread` scope; in `tree`
   * scope collectors have such work anyway. Each test then waits a moment for what is still done.
   */
  readonly remote?: readonly RemoteSource[];
  /**
   * What is to fail: after the test has passed its body runs again for each allocation of these system calls, which
   * fails then. What the body throws meanwhile is no failure of the test. `kernelcov faults` shows what only this ran.
   */
  readonly fault?: FaultOptions;
}

/**
 * Wraps the body of a test: the kernel code that it runs on its thread is recorded, and kept under the test's name.
 * The body gets the coverage, then what the runner passes (`t`, or a row of `test.each`). A failure of the body
 * is the test's failure, unchanged, and its record says so.
 *
 * If kernel coverage is unavailable the body runs all the same; one line per run says why. `KERNELCOV=require` in
 * the environment makes that an error, `KERNELCOV=off` turns recording off.
 *
 * @param body The test.
 * @param options What is recorded, and the test's name, where it cannot be found by itself.
 * @returns The function to give to the runner. It looks like the body, without the first parameter.
 *
 * @see `KCOV_ENABLE` and `KCOV_DISABLE` in `include/uapi/linux/kcov.h` of Linux, between which the body runs
 *
 * @throws {TypeError} Where the body is no function, or the mode, a source of remote coverage or the failure is none.
 *
 * @example
 * ```ts
 * import { readFileSync } from "node:fs";
 * import { withKernelCoverage } from "kernelcov";
 *
 * const body = withKernelCoverage((cov) => {
 *   readFileSync("/etc/hostname");
 *   if (cov.available) console.assert(cov.pcs().length > 100);
 * }, { name: "a file is read" });
 * body(); // as a runner does: test("a file is read", body)
 * ```
 */
export function withKernelCoverage<Rest extends unknown[], Result>(
  body: (cov: KernelCoverage, ...rest: Rest) => Result,
  options: KernelCoverageOptions = {},
): (...rest: Rest) => Result {
  if (typeof body !== "function") {
    throw new TypeError(
      "withKernelCoverage has no test to cover: pass the test's body, a function",
    );
  }
  if (options.mode !== undefined && !isRecordMode(options.mode)) {
    throw new TypeError(
      `There is no mode ${JSON.stringify(options.mode)}: use ${RECORD_MODES.join(", ")}`,
    );
  }
  options.remote?.forEach(checkRemoteSource);
  if (options.fault !== undefined) checkFaults(options.fault);
  // Not within another function: a call in tail position leaves no frame of this one, whose caller is wanted.
  const site = options.name === undefined ? callSite(withKernelCoverage) : undefined;
  return withOwnBuiltins(() => {
    // Opened while tests are declared: a test may run with fewer permissions.
    prepareThread();
    return coveredBody(body as TestBody, options, site) as (...rest: Rest) => Result;
  });
}

function coveredBody(
  body: TestBody,
  options: KernelCoverageOptions,
  site: CallSite | undefined,
): TestBody {
  return coveredFunction(body, (rest) => {
    const running = runningTests.get();
    if (running?.fromPreload === true) {
      if (options.mode === "trace") running.coverage.keepOrder();
      if (options.mode === "cmp") running.coverage.compare();
      if (options.remote !== undefined) running.coverage.addRemote(options.remote);
      if (options.fault !== undefined) running.coverage.askFaults(options.fault);
      const args = [new AdoptedCoverage(running.coverage), ...rest];
      const call = plainCall(args);
      // As in coveredCall(): the runner waits for one call of its callback.
      return doneIndex(rest, body.length - 1) >= 0
        ? call
        : { ...call, again: repeatedBody(running.coverage, args) };
    }
    if (isFaultRun()) return plainCall([againCoverage(body.name), ...rest]);
    const name = () => identify(options.name, rest, site, body.name);
    const coverage = startCoverage(name, {
      parent: running?.coverage,
      record: options.mode,
      remote: options.remote,
      faults: options.fault,
    });
    const done = doneIndex(rest, body.length - 1);
    return coveredCall({ coverage, fromPreload: false }, [coverage, ...rest], {
      done: done < 0 ? done : done + 1,
    });
  }, 1);
}

/** Stands for the coverage of a body that its preload runs again. */
function againCoverage(name: string): KernelCoverage {
  const message = "The test runs again for its failures: ask in its first run";
  return new MissingCoverage(name, new KcovUnavailableError("busy", message));
}

/**
 * Index of the callback among what a runner passed, which a body that has a parameter for it calls when it is done; -1
 * where it passed none. `node:test` passes one behind the context, `bun:test` a bound function of that name behind the
 * row of `each`, if any.
 *
 * @param parameters How many parameters the body has for what the runner passes.
 */
function doneIndex(passed: readonly unknown[], parameters: number): number {
  const last = passed.length - 1;
  const callback = passed[last];
  if (typeof callback !== "function" || parameters !== passed.length) return -1;
  if (last === 1 && isContext(passed[0])) return last;
  return callback.name === "bound done" ? last : -1;
}

/**
 * Records the kernel code that this thread runs until the coverage is disposed, under `name`. For any block of code;
 * its record counts as passed, since a block cannot tell why it was left.
 *
 * @param name Full name of the record.
 * @returns The coverage, to hold with `using`.
 *
 * @see `KCOV_ENABLE` and `KCOV_DISABLE` in `include/uapi/linux/kcov.h` of Linux, between which the block runs
 *
 * @throws {KcovUnavailableError} Where coverage is unavailable and `KERNELCOV=require` is set.
 *
 * @example
 * ```ts
 * import { readFileSync } from "node:fs";
 * import { kernelCoverage } from "kernelcov";
 * {
 *   using cov = kernelCoverage("reading a file");
 *   readFileSync("/etc/hostname");
 *   if (cov.available) console.log(cov.pcs().length);
 * }
 * ```
 */
export function kernelCoverage(name: string): KernelCoverage & Disposable {
  prepareThread(); // Loading what records a thread runs microtasks.
  // Runs when the block waits for something, or when it has ended and the mark no longer counts.
  queueMicrotask(() => coverage.markAsynchronous());
  const coverage = withOwnBuiltins(() =>
    startCoverage(() => identify(name, [], undefined), { parent: runningTests.get()?.coverage })
  );
  return coverage;
}
