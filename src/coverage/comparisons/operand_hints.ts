import { KCOV_CALL_MASK } from "../../kcov/origin.ts";
import type { ComparedPlace } from "./compared_places.ts";

/**
 * What values of a call were compared with: for a fuzzer, values to put in their place. Of a comparison with a constant
 * only the value can be replaced, of another each of both. Operands that were equal give no hint.
 */
export type OperandHints = ReadonlyMap<bigint, ReadonlySet<bigint>>;

/** Hints by call, as origins have it, in the order in which comparisons are. */
export function operandHints(places: readonly ComparedPlace[]): ReadonlyMap<number, OperandHints> {
  const byCall = new Map<number, Map<bigint, Set<bigint>>>();
  for (const { pairs, constant } of places) {
    for (const { first, second, origin } of pairs) {
      if (first === second) continue;
      const call = origin & KCOV_CALL_MASK;
      let hints = byCall.get(call);
      if (hints === undefined) byCall.set(call, hints = new Map());
      addHint(hints, second, first);
      if (constant === undefined) addHint(hints, first, second);
    }
  }
  return byCall;
}

function addHint(hints: Map<bigint, Set<bigint>>, value: bigint, other: bigint): void {
  const known = hints.get(value);
  if (known === undefined) hints.set(value, new Set([other]));
  else known.add(other);
}
