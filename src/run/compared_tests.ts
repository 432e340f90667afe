import { type ComparedPlace, comparedPlaces } from "../coverage/comparisons/compared_places.ts";
import { selectPairs } from "../coverage/comparisons/select_pairs.ts";
import {
  CAUSED_BY_TESTS,
  OriginFilter,
  type OriginSelection,
} from "../coverage/origin_selection.ts";
import { machineOf } from "../coverage/questions/test_origins.ts";
import { KcovUnavailableError } from "../errors.ts";
import { ComparisonTally } from "../kcov/comparisons/comparison_tally.ts";
import { framesOfCalls } from "../symbolize/lookup/code_frames.ts";
import type { ComparedRecord, LoadedRun } from "./load_run.ts";

/** What tests compared. */
export interface ComparedTests {
  readonly places: readonly ComparedPlace[];
  /** Comparisons that found no room, as far as they were counted. */
  readonly lost: number;
  /** A buffer was full. */
  readonly truncated: boolean;
  /** Comparisons that are left out since none of their origins counts. */
  readonly leftOut: number;
}

/**
 * What some records compared, together, by line.
 *
 * @param selection Which origins count; what tests caused by default.
 * @throws {KcovUnavailableError} With reason `no-image` where the kernel's image is gone.
 */
export function comparedTests(
  { imagePath, coverage }: Pick<LoadedRun, "imagePath" | "coverage">,
  records: readonly ComparedRecord[],
  selection: OriginSelection = CAUSED_BY_TESTS,
): ComparedTests {
  if (imagePath === undefined) {
    throw new KcovUnavailableError(
      "no-image",
      "Cannot tell the lines of comparisons: the kernel's image is gone, and only its index is left: name it with --vmlinux",
    );
  }
  const filter = new OriginFilter(machineOf(coverage), selection);
  const tally = new ComparisonTally(), all = new ComparisonTally();
  for (const { comparisons, tree } of records) {
    all.add(comparisons);
    tally.add(selectPairs(comparisons, (origin) => filter.counts(origin, tree?.threadsShared)));
  }
  const comparisons = tally.take();
  const frames = framesOfCalls(imagePath, comparisons.pcs);
  return {
    places: comparedPlaces(comparisons, frames),
    lost: comparisons.lost,
    leftOut: all.take().pcs.length - comparisons.pcs.length,
    truncated: records.some(({ truncated }) => truncated),
  };
}
