import { noComparisons } from "../kcov/comparisons/comparisons.ts";
import { indexOfSorted } from "../base/search.ts";
import { removeFile } from "../sys/files.ts";
import { recordFiles } from "../record/run_folder.ts";
import { openRun } from "../record/run_writer.ts";
import type { Run, RunKernel, TestRecord } from "../record/test_record.ts";
import type { CarriedIndex } from "../symbolize/index/carry_index.ts";

/** Records as they would be of another build of their kernel. */
export interface CarriedRecords {
  readonly records: readonly TestRecord[];
  /** Indexes of those records that had points which the other build has not. */
  readonly incomplete: readonly number[];
}

/** PCs of modules lie above: they are carried as they are. */
export const MODULES_FROM = 2 ** 50;

/** The records of a run with the PCs of each point where another build has it. */
export function carryRecords(
  records: readonly TestRecord[],
  { before, index, pointMap }: CarriedIndex,
): CarriedRecords {
  const { base, callLength, allPointOffsets } = before;
  const moved = (pc: number): number => {
    if (pc >= MODULES_FROM) return pc;
    const point = indexOfSorted(allPointOffsets, pc - callLength - base);
    const to = point < 0 ? -1 : pointMap[point];
    return to < 0 ? -1 : index.base + index.allPointOffsets[to] + index.callLength;
  };
  const incomplete: number[] = [];
  const carried = records.map((record, at) => {
    const kept = [...record.pcs.keys()].map((from) => ({ from, pc: moved(record.pcs[from]) }))
      .filter(({ pc }) => pc >= 0).sort((a, b) => a.pc - b.pc);
    const { comparisons } = record;
    if (kept.length < record.pcs.length || comparisons !== undefined) incomplete.push(at);
    const place = new Int32Array(record.pcs.length).fill(-1);
    kept.forEach(({ from }, to) => place[from] = to);
    const { hits, origins } = record;
    return {
      ...record,
      pcs: Float64Array.from(kept, ({ pc }) => pc) as TestRecord["pcs"],
      // They are at no points, and where they are in the other build is not known.
      ...comparisons === undefined ? {} : { comparisons: noComparisons() },
      hits: hits === null ? null : Uint32Array.from(kept, ({ from }) => hits[from]),
      ...origins === undefined ? {} : {
        origins: origins.map(({ origin, points, hits }) => {
          const own = [...points.keys()].filter((at) => place[points[at]] >= 0)
            .sort((a, b) => place[points[a]] - place[points[b]]);
          return {
            origin,
            points: Uint32Array.from(own, (at) => place[points[at]]),
            ...hits === undefined ? {} : { hits: Uint32Array.from(own, (at) => hits[at]) },
          };
        }),
      },
    };
  });
  return { records: carried, incomplete };
}

/**
 * Puts records into a run's folder in place of those that are there, as those of an earlier run.
 *
 * @param image path of the kernel's image
 * @param name names the run that they are of now
 */
export function replaceRecords(
  directory: string,
  { modules }: Pick<Run, "modules">,
  records: readonly TestRecord[],
  kernel: RunKernel,
  image: string,
  name: string,
): void {
  const old = recordFiles(directory);
  const writer = openRun(directory, { kernel, modules, image, run: name });
  for (const { earlier: _, ...record } of records) writer.append(record);
  writer.close();
  for (const file of old) removeFile(`${directory}/${file}`);
}
