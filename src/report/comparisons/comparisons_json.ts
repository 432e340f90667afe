import { formatAddress } from "../../base/address.ts";
import type { ComparedPlace } from "../../coverage/comparisons/compared_places.ts";
import { operandHints } from "../../coverage/comparisons/operand_hints.ts";
import { KCOV_CALL_MASK, KCOV_HOW, KCOV_HOW_SHIFT } from "../../kcov/origin.ts";
import type { ComparisonsAnswer } from "./comparisons_text.ts";

/**
 * Comparisons for programs. Operands are hexadecimal text, as they have up to 64 bits. `calls` has for each call what its
 * values were compared with, as fuzzers take it for hints.
 */
export function comparisonsJson(
  { places, lost, truncated, leftOut, callOf }: ComparisonsAnswer,
): object {
  return {
    lost,
    truncated,
    leftOut,
    comparisons: places.map((place) => placeJson(place, callOf)),
    calls: Array.from(operandHints(places), ([call, hints]) => ({
      call: callOf(call) ?? null,
      hints: Object.fromEntries(
        Array.from(hints, ([value, others]) => [hex(value), [...others].map(hex)]),
      ),
    })),
  };
}

function placeJson(place: ComparedPlace, callOf: ComparisonsAnswer["callOf"]): object {
  const { pc, frames, size, constant, isCase, pairs, more, times, equal } = place;
  return {
    pc: formatAddress(pc),
    frames: frames.map((frame) => ({
      function: frame.function,
      file: frame.file,
      line: frame.line,
    })),
    size,
    ...constant === undefined ? {} : { constant: hex(constant) },
    ...isCase ? { case: true } : {},
    times,
    equal,
    more,
    pairs: pairs.map(({ first, second, times, origin }) => ({
      first: hex(first),
      second: hex(second),
      times,
      call: callOf(origin & KCOV_CALL_MASK) ?? null,
      how: HOW_NAMES.get(origin >>> KCOV_HOW_SHIFT) ?? null,
    })),
  };
}

const HOW_NAMES = new Map(Object.entries(KCOV_HOW).map(([name, how]) => [how as number, name]));

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}
