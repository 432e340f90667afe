import type { Address } from "../base/address.ts";

/** How a test ended. */
export type TestOutcome = "passed" | "failed";

/** Whose system calls a record holds: the calling thread's, or those of all threads and child processes. */
export type Scope = "thread" | "tree";

/** What one test left. PCs are raw, as the kernel wrote them: return addresses of coverage calls. */
export interface TestRecord {
  /** Full name: suites, test and steps joined by ` > `. */
  readonly name: string;
  /** The test file, relative to the run's folder; empty where unknown. */
  readonly file: string;
  readonly outcome: TestOutcome;
  /** Wall time of the body, in milliseconds. */
  readonly durationMs: number;
  readonly scope: Scope;
  /** Distinct raw PCs, ascending. */
  readonly pcs: Float64Array<ArrayBuffer> & ArrayLike<Address>;
  /** How often each PC was recorded (a lower bound where `truncated`), or `null` where the kernel stored each PC once. */
  readonly hits: Uint32Array | null;
  /** The buffer was full: PCs are missing. */
  readonly truncated: boolean;
  /** Another test was open at the same time on the same thread: some PCs may be that test's. */
  readonly shared: boolean;
  /** The body was asynchronous but only the calling thread was recorded: work on other threads is missing. */
  readonly callingThreadOnly: boolean;
}

/** The kernel that a run was recorded on. */
export interface RunKernel {
  /** Build id of the running kernel, lower-case hexadecimal; empty where the kernel does not tell. */
  readonly buildId: string;
  /** `uname -r`. */
  readonly release: string;
  /** `uname -m`: `x86_64`, `aarch64`. */
  readonly machine: string;
}

/** The records of one invocation on one kernel build. */
export interface Run {
  readonly kernel: RunKernel;
  readonly records: readonly TestRecord[];
  /** Records that could not be read back (a killed writer's last line, for instance). */
  readonly damaged: number;
}
