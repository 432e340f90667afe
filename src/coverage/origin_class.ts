import { KCOV_CALL, KCOV_CALL_MASK, KCOV_HOW, KCOV_HOW_SHIFT } from "../kcov/origin.ts";

export type OriginClass = "own" | "behalf" | "runtime" | "faults";

/** Stand-in until the classes are merged. */
export function originClass(
  origin: number,
  { threadsShared = false }: { threadsShared?: boolean } = {},
): OriginClass {
  const how = origin >>> KCOV_HOW_SHIFT, call = origin & KCOV_CALL_MASK;
  if (call === KCOV_CALL.codeFault) return "faults";
  if (how === KCOV_HOW.child || how === KCOV_HOW.taskWork) return "own";
  if (call === KCOV_CALL.pageFault && (how === KCOV_HOW.own || how === KCOV_HOW.thread)) {
    return "faults";
  }
  if (how === KCOV_HOW.own) return "own";
  if (how === KCOV_HOW.main) return "runtime";
  if (how === KCOV_HOW.thread) return threadsShared || call >= KCOV_CALL.none ? "runtime" : "own";
  return "behalf";
}
