import type { OriginHits } from "../../coverage/origin_hits.ts";
import { type OriginClass, originClass, type OriginContext } from "../../coverage/origin_class.ts";
import type { HitTotals } from "../../coverage/line_tally.ts";
import type { RunCoverage } from "../../coverage/run_coverage.ts";
import { KCOV_CALL_MASK, KCOV_HOW, KCOV_HOW_SHIFT } from "../../kcov/origin.ts";
import { systemCallName } from "../../kcov/system_calls.ts";
import { rangesByFile } from "../line_ranges.ts";

const HOW_NAME = new Map<number, string>(
  Object.entries(KCOV_HOW).map(([name, how]) => [how, name]),
);

/** An origin for JSON. */
export interface OriginReference {
  /** `connect`, `page fault`; a system call without a name is `system call 999`. */
  readonly call: string;
  /** A name of `KCOV_HOW`. */
  readonly how: string;
}

/** The names of an origin. */
export function originReference(machine: string, origin: number): OriginReference {
  const how = origin >>> KCOV_HOW_SHIFT;
  return {
    call: systemCallName(machine, origin & KCOV_CALL_MASK),
    how: HOW_NAME.get(how) ?? String(how),
  };
}

/** What a test ran from an origin, in numbers. */
export interface OriginCount extends OriginReference, HitTotals {
  readonly class: OriginClass;
}

/** How much a test ran from each origin, in the order of first runs. */
export function originCounts(
  coverage: RunCoverage,
  origins: readonly OriginHits[],
  context: OriginContext,
): OriginCount[] {
  return origins.map(({ origin, points }) => ({
    ...originReference(context.machine, origin),
    class: originClass(origin, context),
    ...coverage.totalsOf(points),
  }));
}

/** What a test ran from each origin, in the order of first runs, with its lines as ranges by file. */
export function originsJson(
  coverage: RunCoverage,
  origins: readonly OriginHits[],
  context: OriginContext,
): (OriginCount & { readonly files: Readonly<Record<string, string>> })[] {
  return originCounts(coverage, origins, context).map((entry, i) => ({
    ...entry,
    files: rangesByFile(coverage.universe, coverage.linesOfPoints(origins[i].points)),
  }));
}
