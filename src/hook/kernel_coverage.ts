import type { AskedOrigin, CallCoverage } from "../assertions/coverage_answers.ts";
import type { KernelComparison } from "../assertions/kernel_comparisons.ts";
import type { Address } from "../base/address.ts";

/**
 * What a record says about its own completeness.
 *
 * @see docs/limits.md
 *
 * @example
 * ```ts
 * import { type CoverageFlags, kernelCoverage } from "kernelcov";
 * using cov = kernelCoverage("a block");
 * const { truncated, shared }: CoverageFlags = cov.record;
 * console.assert(!truncated && !shared);
 * ```
 */
export interface CoverageFlags {
  /** The buffer was full: PCs are missing. Set `KERNELCOV_WORDS` to a larger number of words. */
  readonly truncated: boolean;
  /** Another test was open at the same time on the same thread: some PCs may be that test's. */
  readonly shared: boolean;
  /** The body was asynchronous: what it did on other threads is missing. */
  readonly callingThreadOnly: boolean;
}

/**
 * The kernel code that a test ran, up to now while the test runs. Questions are not recorded themselves. Where it is
 * known what made the kernel run each point, they are about what the test caused, unless they name an origin: its own
 * system calls, and what the kernel did on their behalf.
 *
 * Where kernel coverage is unavailable, `available` is false and each question throws a
 * {@linkcode KcovUnavailableError}, so that no test takes "nothing recorded" for "nothing ran".
 *
 * @see <https://docs.kernel.org/dev-tools/kcov.html>; names and lines are of `.debug_info` and `.debug_line` of the kernel's
 * image
 *
 * @example
 * ```ts
 * import { readFileSync } from "node:fs";
 * import { type KernelCoverage, withKernelCoverage } from "kernelcov";
 *
 * function readsAFile(cov: KernelCoverage) {
 *   readFileSync("/etc/hostname");
 *   if (cov.available) console.assert(cov.reached("do_sys_openat2"));
 * }
 * withKernelCoverage(readsAFile, { name: "a file is read" });
 * ```
 */
export interface KernelCoverage {
  /** Whether anything is recorded. */
  readonly available: boolean;
  /** Full name of the test. */
  readonly name: string;
  /** Flags of the record. */
  readonly record: CoverageFlags;
  /**
   * Distinct raw PCs of all origins, ascending: return addresses of coverage calls, as signed numbers.
   *
   * @returns One address for each PC.
   * @throws {KcovUnavailableError} Where nothing is recorded.
   */
  pcs(): Float64Array<ArrayBuffer> & ArrayLike<Address>;
  /**
   * Whether the function ran, including copies inlined into other functions.
   *
   * @param functionName As the kernel's source has it, such as `pipe_write`.
   * @param asked What made it run: what the test caused, by default.
   * @returns Whether any of its coverage points ran.
   * @throws {KcovUnavailableError} Where nothing is recorded, or the kernel's image is not found.
   * @throws {RangeError} Where the kernel has no such function, or it has no coverage points.
   * @throws {TypeError} Where an origin is asked for that is none, or that is not known here.
   *
   * @example
   * ```ts
   * import { kernelCoverage } from "kernelcov";
   * using cov = kernelCoverage("a datagram to itself");
   * // … sends it, and receives it
   * if (cov.available) console.log(cov.reached("udp_rcv"));
   * ```
   */
  reached(functionName: string, asked?: AskedOrigin): boolean;
  /**
   * How often the function's most frequent coverage point ran, including copies inlined into other functions; 0 if none
   * ran. For a function without loops this is the number of its calls; a lower bound if the record is truncated.
   *
   * @param functionName As `reached`.
   * @param asked As `reached`.
   * @returns How many times, from 0.
   * @throws {TypeError} In `tree` scope, where counts are unknown: ask `reached`.
   * @throws {KcovUnavailableError} As `reached`.
   * @throws {RangeError} As `reached`.
   */
  hits(functionName: string, asked?: AskedOrigin): number;
  /**
   * Names of the functions that ran, sorted, inlined ones included.
   *
   * @param asked As `reached`.
   * @returns Each name once.
   * @throws {KcovUnavailableError} As `reached`.
   * @throws {TypeError} As `reached`.
   */
  functions(asked?: AskedOrigin): string[];
  /**
   * Numbers of the lines that ran in a source file, ascending.
   *
   * @param file Path relative to the kernel's root, such as `fs/pipe.c`.
   * @param asked As `reached`.
   * @returns Each number once, from 1.
   * @throws {KcovUnavailableError} As `reached`.
   * @throws {RangeError} Where the kernel has no such file, or it has no coverage points.
   * @throws {TypeError} As `reached`.
   */
  lines(file: string, asked?: AskedOrigin): number[];
  /**
   * What ran in each system call and by what it led to, in the order of first runs; calls of one name together. Page
   * faults, signals and the like are calls too.
   *
   * @param asked As `reached`.
   * @returns One entry for each name.
   * @throws {KcovUnavailableError} As `reached`.
   * @throws {TypeError} Where origins are not known.
   *
   * @example
   * ```ts
   * import { readFileSync } from "node:fs";
   * import { withKernelCoverage } from "kernelcov";
   *
   * const body = withKernelCoverage((cov) => {
   *   readFileSync("/etc/hostname");
   *   if (!cov.available) return;
   *   for (const { name, functions, points } of cov.calls()) console.log(name, functions, points);
   * }, { name: "a file is read" });
   * ```
   */
  calls(asked?: AskedOrigin): CallCoverage[];
  /**
   * What the kernel compared, by line: only where comparisons are recorded in place of points, with `{ mode: "cmp" }` or
   * `kernelcov test --mode cmp`. Lines are read from the image's debug information, which takes a moment when first asked.
   *
   * @param place Only these: `FILE:LINE`, such as `fs/pipe.c:441`, a file, or a function. All by default.
   * @returns One entry for each comparison in the code, by file and line.
   * @throws {KcovUnavailableError} As `reached`.
   * @throws {RangeError} Where the kernel has no such file or function.
   * @throws {TypeError} Where points are recorded.
   *
   * @example
   * ```ts
   * import { readFileSync } from "node:fs";
   * import { withKernelCoverage } from "kernelcov";
   *
   * const body = withKernelCoverage((cov) => {
   *   readFileSync("/etc/hostname");
   *   if (!cov.available) return;
   *   for (const { constant, equal, pairs } of cov.comparisons("fs/open.c")) {
   *     if (constant !== undefined && equal === 0) console.log(constant, pairs[0]?.second);
   *   }
   * }, { name: "a file is read", mode: "cmp" });
   * ```
   */
  comparisons(place?: string): KernelComparison[];
}

/** What a coverage needs to know of its test. */
export interface TestIdentity {
  readonly name: string;
  readonly file: string;
}
