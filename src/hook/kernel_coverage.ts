import type { Address } from "../base/address.ts";

/** What a record says about its own completeness. */
export interface CoverageFlags {
  /** The buffer was full: PCs are missing. Set `KERNELCOV_WORDS` to a larger number of words. */
  readonly truncated: boolean;
  /** Another test was open at the same time on the same thread: some PCs may be that test's. */
  readonly shared: boolean;
  /** The body was asynchronous: what it did on other threads is missing. */
  readonly callingThreadOnly: boolean;
}

/**
 * The kernel code that a test ran, up to now while the test runs. Questions are not recorded themselves.
 *
 * Where kernel coverage is unavailable, `available` is false and each question throws a
 * {@linkcode KcovUnavailableError}, so that no test takes "nothing recorded" for "nothing ran".
 */
export interface KernelCoverage {
  /** Whether anything is recorded. */
  readonly available: boolean;
  /** Full name of the test. */
  readonly name: string;
  /** Flags of the record. */
  readonly record: CoverageFlags;
  /**
   * Distinct raw PCs, ascending: return addresses of coverage calls, as signed numbers.
   *
   * @throws {KcovUnavailableError} Where nothing is recorded.
   */
  pcs(): Float64Array<ArrayBuffer> & ArrayLike<Address>;
  /**
   * Whether the function ran, including copies inlined into other functions.
   *
   * @throws {KcovUnavailableError} Where nothing is recorded, or the kernel's image is not found.
   * @throws {RangeError} Where the kernel has no such function, or it has no coverage points.
   */
  reached(functionName: string): boolean;
  /**
   * How often the function's most frequent coverage point ran, including copies inlined into other functions; 0 if none
   * ran. For a function without loops this is the number of its calls; a lower bound if the record is truncated.
   *
   * @throws {TypeError} In `tree` scope, where counts are unknown: ask `reached`.
   * @throws As `reached`.
   */
  hits(functionName: string): number;
  /**
   * Names of the functions that ran, sorted, inlined ones included.
   *
   * @throws {KcovUnavailableError} As `reached`.
   */
  functions(): string[];
  /**
   * Numbers of the lines that ran in a source file, ascending.
   *
   * @param file Path relative to the kernel's root, such as `fs/pipe.c`.
   * @throws {KcovUnavailableError} As `reached`.
   * @throws {RangeError} Where the kernel has no such file, or it has no coverage points.
   */
  lines(file: string): number[];
}

/** What a coverage needs to know of its test. */
export interface TestIdentity {
  readonly name: string;
  readonly file: string;
}
