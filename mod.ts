/**
 * Which kernel code did this test run? Per-test Linux kernel coverage for Deno and Bun.
 *
 * ```ts ignore
 * import { readFileSync } from "node:fs";
 * import { test } from "node:test";
 * import { withKernelCoverage } from "kernelcov";
 *
 * test("a file is read", withKernelCoverage(() => {
 *   readFileSync("/etc/hostname");
 * }));
 * ```
 *
 * Run with `deno test -A` or `bun test`, this leaves `coverage/kernel/lcov.info`, with the kernel's source lines. It
 * needs Linux with KCOV and the right to use it; elsewhere the tests run without coverage and one line says why. The
 * command `kernelcov test --kernel embedded -- deno test -A` runs them inside a kernel that has it.
 *
 * Importing this module does nothing and needs no permission; recording needs `--allow-ffi`, `--allow-read`,
 * `--allow-write` and `--allow-env` in Deno.
 *
 * @module
 */

export {
  FormatError,
  type FormatErrorPlace,
  KcovUnavailableError,
  type KcovUnavailableReason,
  SyscallError,
} from "./src/errors.ts";
export type { Address } from "./src/base/address.ts";
export {
  type KcovAvailability,
  kcovAvailability,
  type KcovFinding,
} from "./src/kernel/kcov_availability.ts";
export type {
  ModuleSection,
  RecordKind,
  Run,
  RunKernel,
  RunModule,
  RunSource,
  Scope,
  TestOutcome,
  TestRecord,
  TreeDetails,
} from "./src/record/test_record.ts";
export { mergeRuns, readRun } from "./src/record/read_run.ts";
export type { OriginPoints } from "./src/kcov/origin.ts";
export type { TraceOrder } from "./src/kcov/trace_order.ts";
export type { FaultOptions } from "./src/hook/faults/fault_plan.ts";
export type { RecordMode } from "./src/hook/mode.ts";
export type { RemoteSource } from "./src/kcov/remote/remote_sources.ts";
export type { OriginClass } from "./src/coverage/origin_class.ts";
export type { OriginName } from "./src/coverage/origin_selection.ts";
export type { AskedOrigin, CallCoverage } from "./src/assertions/coverage_answers.ts";
export type { KernelComparison, OperandPair } from "./src/assertions/kernel_comparisons.ts";
export type { Comparisons } from "./src/kcov/comparisons/comparisons.ts";
export type { CoverageFlags, KernelCoverage } from "./src/hook/kernel_coverage.ts";
export {
  kernelCoverage,
  type KernelCoverageOptions,
  withKernelCoverage,
} from "./src/hook/with_kernel_coverage.ts";
