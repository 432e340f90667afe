import type { Address } from "../base/address.ts";
import type { Comparisons } from "../kcov/comparisons/comparisons.ts";
import type { OriginPoints } from "../kcov/origin.ts";
import type { TraceOrder } from "../kcov/trace_order.ts";

/**
 * How a test ended; `unfinished`: it was cut short, as when its thread, its supervisor or its kernel ended before it.
 *
 * @see docs/reliability.md
 *
 * @example
 * ```ts
 * import type { TestOutcome } from "kernelcov";
 * const bad: TestOutcome[] = ["failed", "unfinished"];
 * console.assert(!bad.includes("passed"));
 * ```
 */
export type TestOutcome = "passed" | "failed" | "unfinished";

/**
 * Whose system calls a record holds: the calling thread's (`thread`), or those of all threads and child processes (`tree`).
 *
 * @see `KCOV_ENABLE` in <https://docs.kernel.org/dev-tools/kcov.html>, which is for one thread; docs/collectors.md for `tree`
 *
 * @example
 * ```ts
 * import type { Scope } from "kernelcov";
 * const args = (scope: Scope) => ["kernelcov", "test", "--scope", scope];
 * console.assert(args("tree").at(-1) === "tree");
 * ```
 */
export type Scope = "thread" | "tree";

/**
 * What a record is of: a `test` (or a step of one), the `baseline` (what an empty test runs), a whole `command`, or
 * what ran while no test was open (`outside`).
 *
 * @see docs/file-formats.md, `kind`
 *
 * @example
 * ```ts
 * import type { RecordKind, TestRecord } from "kernelcov";
 * const ofTests = ({ kind = "test" }: { kind?: RecordKind }) => kind === "test";
 * const records: TestRecord[] = [];
 * console.assert(records.filter(ofTests).length === 0);
 * ```
 */
export type RecordKind = "test" | "baseline" | "command" | "outside";

/**
 * What became of the tasks of a record in `tree` scope.
 *
 * @see docs/collectors.md; ptrace(2) on kernels without collectors
 *
 * @example
 * ```ts
 * import type { TreeDetails } from "kernelcov";
 * const tree: TreeDetails = { tasks: 3, refused: [{ reason: "32-bit program", tasks: 1 }], finished: true };
 * console.assert(tree.refused.reduce((sum, { tasks }) => sum + tasks, 0) === 1);
 * ```
 */
export interface TreeDetails {
  /** Threads and processes whose points are in the record. */
  readonly tasks: number;
  /** Threads and processes that ran unrecorded, counted by reason. */
  readonly refused: readonly { readonly reason: string; readonly tasks: number }[];
  /** False where the test's thread ended before the test did. */
  readonly finished: boolean;
  /**
   * Other threads of the runner's process served several tests at once: what they ran cannot be told apart, and is this
   * test's or another's. Only with origins.
   */
  readonly threadsShared?: boolean;
  /** Items that were still queued on the test's behalf when its record was read last; none where absent. */
  readonly pending?: number;
  /** Items whose cause could not be kept: what they ran is missing. None where absent. */
  readonly dropped?: number;
}

/**
 * What one test left. PCs are return addresses of coverage calls: the kernel's own as it wrote them, which is where it was
 * linked; those of modules at addresses that the run gives to each section of a module ({@linkcode RunModule}).
 *
 * @see `__sanitizer_cov_trace_pc` in `kernel/kcov.c` of Linux, which stores the PCs; docs/file-formats.md for how they are kept
 *
 * @example
 * ```ts
 * import { mergeRuns, type TestRecord } from "kernelcov";
 * const record: TestRecord = {
 *   name: "pipes > a pipe carries bytes",
 *   file: "pipe_test.ts",
 *   outcome: "passed",
 *   durationMs: 12.5,
 *   scope: "thread",
 *   pcs: Float64Array.of(0x60001234, 0x60005678),
 *   hits: Uint32Array.of(1, 40),
 *   truncated: false,
 *   shared: false,
 *   callingThreadOnly: false,
 * };
 * const kernel = { buildId: "ab12", release: "6.12.1", machine: "x86_64" };
 * const run = mergeRuns([{ kernel, modules: [], records: [record], damaged: 0 }]);
 * console.assert(run.records[0].hits?.[1] === 40);
 * ```
 */
export interface TestRecord {
  /** Full name: suites, test and steps joined by ` > `. */
  readonly name: string;
  /** The test file, relative to the run's folder; empty where unknown. */
  readonly file: string;
  /** How it ended. */
  readonly outcome: TestOutcome;
  /** Wall time of the body, in milliseconds; 0 for an `unfinished` test, where it could not be measured. */
  readonly durationMs: number;
  /** Whose system calls the PCs are of. */
  readonly scope: Scope;
  /** Distinct PCs, ascending. */
  readonly pcs: Float64Array<ArrayBuffer> & ArrayLike<Address>;
  /** How often each PC was recorded (a lower bound where `truncated`), or `null` where the kernel stored each PC once. */
  readonly hits: Uint32Array | null;
  /** The buffer was full: PCs are missing. */
  readonly truncated: boolean;
  /** Another test was open at the same time on the same thread: some PCs may be that test's. */
  readonly shared: boolean;
  /** The body was asynchronous but only the calling thread was recorded: work on other threads is missing. */
  readonly callingThreadOnly: boolean;
  /** The runtime whose runner ran the test, `deno` or `bun`; absent where unknown. */
  readonly runner?: string;
  /** What the record is of; a test where absent. */
  readonly kind?: RecordKind;
  /** Only in `tree` scope. */
  readonly tree?: TreeDetails;
  /** What made the kernel run the PCs, in the order of first runs; absent where that is not known. */
  readonly origins?: readonly OriginPoints[];
  /**
   * In which order code first ran: where the stretches begin that PCs are in ({@linkcode stretchOf}), distinct; absent
   * where that is not known. Addresses, the first that ran first. What ran late is in none.
   */
  readonly firstRuns?: Float64Array<ArrayBuffer>;
  /** In which order the PCs ran on the test's thread, each time; absent where that was not asked for. */
  readonly order?: TraceOrder;
  /** What was compared, where that was recorded; then there are no PCs. */
  readonly comparisons?: Comparisons;
  /**
   * Which pass over the tests it is of, where several were read or merged: of two records of one name in one pass none
   * repeats the other.
   */
  readonly pass?: number;
  /** It was read back beside those of a newer run, which did not run this test. Not written. */
  readonly earlier?: true;
}

/**
 * What ran on a test's behalf after its record was written: timers, works and the like that it had queued. It is added
 * to the record when that is read.
 */
export interface LateWork {
  /** Distinct PCs, ascending; those that the record has already may be among them. */
  readonly pcs: Float64Array<ArrayBuffer> & ArrayLike<Address>;
  /** What made the kernel run them; of each PC at least one. */
  readonly origins: readonly OriginPoints[];
  /** Items that were still queued on the test's behalf when this was read: instead of the record's number. */
  readonly pending: number;
  /** Items whose cause could not be kept since the test began. */
  readonly dropped: number;
  /** PCs are missing. */
  readonly truncated: boolean;
}

/** What is known of a test when it begins: the rest of its record is `unfinished` until it ends. */
export interface BegunTest {
  readonly name: string;
  readonly file: string;
  readonly scope: Scope;
  readonly runner?: string;
  readonly kind?: RecordKind;
  /** Whether its record will have hit counts. */
  readonly hasHits: boolean;
}

/**
 * A source tree of the user's that a kernel was built from.
 *
 * @see `VERSION`, `PATCHLEVEL` and `SUBLEVEL` in the `Makefile` of Linux, gitrevisions(7), and docs/own-kernel.md
 *
 * @example
 * ```ts
 * import type { RunSource } from "kernelcov";
 * const describe = ({ version, git }: RunSource) => git === undefined ? version : `${version} at ${git.commit}`;
 * console.assert(describe({ path: "/src/linux", version: "6.12.1" }) === "6.12.1");
 * ```
 */
export interface RunSource {
  /** Its folder. */
  readonly path: string;
  /** Of Linux. */
  readonly version: string;
  /** Where the tree was in its history; absent where it is no git tree. */
  readonly git?: {
    readonly commit: string;
    /** Absent where no branch was checked out. */
    readonly branch?: string;
    /** Tracked files differed from the commit. */
    readonly dirty: boolean;
  };
}

/**
 * The kernel that a run was recorded on.
 *
 * @see uname(2), and the section `.note.gnu.build-id` of elf(5), which `/sys/kernel/notes` shows of the running kernel
 *
 * @example
 * ```ts
 * import type { RunKernel } from "kernelcov";
 * const kernel: RunKernel = { buildId: "ab12", release: "6.12.1", machine: "x86_64" };
 * console.assert(/^[0-9a-f]*$/.test(kernel.buildId));
 * ```
 */
export interface RunKernel {
  /** Build id of the running kernel, lower-case hexadecimal; empty where the kernel does not tell. */
  readonly buildId: string;
  /** `uname -r`. */
  readonly release: string;
  /** `uname -m`: `x86_64`, `aarch64`. */
  readonly machine: string;
  /** Only of a kernel that was built from a tree of the user's. Not in the records. */
  readonly source?: RunSource;
}

/**
 * A section of code of a module.
 *
 * @see `/sys/module/NAME/sections`, and the sections with `SHF_EXECINSTR` of elf(5)
 *
 * @example
 * ```ts
 * import type { ModuleSection } from "kernelcov";
 * const section: ModuleSection = { name: ".text", address: 2 ** 50 };
 * const pc = 2 ** 50 + 0x40;
 * console.assert(pc - section.address === 0x40); // as objdump shows it of the module's file
 * ```
 */
export interface ModuleSection {
  /** `.text` and the like. */
  readonly name: string;
  /**
   * Where the PCs of the run's records have its first byte: 2^50 or above, where no kernel lies. Not where it was in
   * memory, which differs between boots, and would give away by how much the kernel was moved.
   */
  readonly address: Address;
}

/**
 * A module that was loaded during a run.
 *
 * @see `/proc/modules` of proc(5), and `.note.gnu.build-id` in `/sys/module/NAME/notes`
 *
 * @example
 * ```ts
 * import type { RunModule } from "kernelcov";
 * const modules: RunModule[] = [{ name: "loop", buildId: "cd34", sections: [], hidden: "not root" }];
 * console.assert(modules.some(({ hidden }) => hidden !== undefined));
 * ```
 */
export interface RunModule {
  /** As `/proc/modules` has it. */
  readonly name: string;
  /** Lower-case hexadecimal; empty where the kernel does not tell. */
  readonly buildId: string;
  /** Those with code. */
  readonly sections: readonly ModuleSection[];
  /** Why its address is unknown, so that its PCs cannot be told from others; absent where it is known. */
  readonly hidden?: string;
}

/**
 * The records of one kernel build: of a run, and what earlier runs in its folder had recorded of other tests.
 *
 * @see docs/file-formats.md
 *
 * @example
 * ```ts
 * import { mergeRuns, type Run } from "kernelcov";
 * const kernel = { buildId: "ab12", release: "6.12.1", machine: "x86_64" };
 * const run: Run = { kernel, modules: [], records: [], damaged: 0, cut: ["a test"] };
 * console.assert(mergeRuns([run]).cut?.length === 1);
 * ```
 */
export interface Run {
  /** What all records were recorded on. */
  readonly kernel: RunKernel;
  /** Where the kernel's image was, as far as the run was told. It may be another one's by now. */
  readonly image?: string | undefined;
  /** The modules that were loaded at its start, at its end, or at the end of any test. */
  readonly modules: readonly RunModule[];
  /** The records, in the order in which their writers wrote them. */
  readonly records: readonly TestRecord[];
  /** Records that could not be read back (a killed writer's last line, for instance). */
  readonly damaged: number;
  /** Records that could not be written, for instance since the disk was full; none where absent. */
  readonly lost?: number;
  /**
   * Of each writer that did not end (it was killed, or still runs) the name of its last record: what it would have
   * written after that is missing. None where absent.
   */
  readonly cut?: readonly string[];
  /** Records of an earlier run on another kernel that lie in the folder: they are not among `records`. */
  readonly otherKernel?: number;
}
