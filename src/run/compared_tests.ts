import { type ComparedPlace, comparedPlaces } from "../coverage/comparisons/compared_places.ts";
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
}

/**
 * What some records compared, together, by line.
 *
 * @throws {KcovUnavailableError} With reason `no-image` where the kernel's image is gone.
 */
export function comparedTests(
  { imagePath }: Pick<LoadedRun, "imagePath">,
  records: readonly ComparedRecord[],
): ComparedTests {
  if (imagePath === undefined) {
    throw new KcovUnavailableError(
      "no-image",
      "Cannot tell the lines of comparisons: the kernel's image is gone, and only its index is left: name it with --vmlinux",
    );
  }
  const tally = new ComparisonTally();
  for (const { comparisons } of records) tally.add(comparisons);
  const comparisons = tally.take();
  const frames = framesOfCalls(imagePath, comparisons.pcs);
  return {
    places: comparedPlaces(comparisons, frames),
    lost: comparisons.lost,
    truncated: records.some(({ truncated }) => truncated),
  };
}
