import { environmentVariable } from "../sys/runtime.ts";

/**
 * What is recorded of a test: `pc`, which coverage points ran; `cmp`, the operands of the comparisons that the kernel
 * made; `trace`, the points in the order in which they ran.
 */
export type RecordMode = "pc" | "cmp" | "trace";

/** All of them. */
export const RECORD_MODES: readonly RecordMode[] = ["pc", "cmp", "trace"];

/** Environment variable by which a command tells its tests what to record. */
export const MODE_VARIABLE = "KERNELCOV_MODE";

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
