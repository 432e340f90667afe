import { parseRemoteSources, type RemoteSource } from "../kcov/remote/remote_sources.ts";
import { environmentVariable } from "../sys/runtime.ts";

/**
 * What is recorded of a test: `pc`, which coverage points ran; `cmp`, the operands of the comparisons that the kernel
 * made; `trace`, the points in the order in which they ran.
 *
 * @see `KCOV_TRACE_PC` and `KCOV_TRACE_CMP` in `include/uapi/linux/kcov.h` of Linux
 *
 * @example
 * ```ts
 * import { type RecordMode, withKernelCoverage } from "kernelcov";
 * const mode: RecordMode = "trace";
 * withKernelCoverage(() => {}, { name: "in order", mode });
 * ```
 */
export type RecordMode = "pc" | "cmp" | "trace";

/** All of them. */
export const RECORD_MODES: readonly RecordMode[] = ["pc", "cmp", "trace"];

/** Environment variable by which a command tells its tests what to record. */
export const MODE_VARIABLE = "KERNELCOV_MODE";

/** Environment variable with the sources of remote coverage, such as `common,usb:1`. */
export const REMOTE_VARIABLE = "KERNELCOV_REMOTE";

/**
 * The sources of remote coverage that the environment asks for.
 *
 * @throws {TypeError} One is none.
 */
export function environmentRemote(): readonly RemoteSource[] {
  const text = environmentVariable(REMOTE_VARIABLE);
  return text === undefined || text === "" ? [] : parseRemoteSources(text);
}

/** Whether `text` names a mode. */
export function isRecordMode(text: unknown): text is RecordMode {
  return RECORD_MODES.includes(text as RecordMode);
}

/**
 * What the environment asks for; `pc` where it asks for nothing.
 *
 * @throws {TypeError} It asks for what is no mode.
 */
export function environmentMode(): RecordMode {
  const text = environmentVariable(MODE_VARIABLE);
  if (text === undefined || text === "") return "pc";
  if (isRecordMode(text)) return text;
  throw new TypeError(`${MODE_VARIABLE}=${text} is no mode: use ${RECORD_MODES.join(", ")}`);
}
