import { statSync } from "node:fs";
import { projectPoints, type SourcedImage } from "../../coverage/history/project_points.ts";
import type { Run, RunKernel } from "../../record/test_record.ts";
import { carryRecords, MODULES_FROM } from "../carry_records.ts";
import { isImageOf, loadKernelIndex } from "../kernel_index.ts";
import { sourcesOf } from "../kernel_sources.ts";

/** A run as one of another build, and how much of it that is. */
export interface ProjectedRun {
  readonly run: Run;
  /** Build id of the kernel that it was recorded on. */
  readonly buildId: string;
  /** PCs of its records that the other build has, and those that it has not. */
  readonly kept: number;
  readonly lost: number;
}

/** The build that runs are projected to. */
interface Target {
  readonly kernel: RunKernel;
  readonly image?: string | undefined;
}

/**
 * Makes of runs of other builds runs of one build, through the differences of the sources: points of changed lines, of
 * functions that were compiled to other points, and of modules have no counterpart. Records that have such are marked as
 * not whole.
 */
export class RunProjector {
  readonly #target: Target;
  readonly #vmlinux: string | undefined;
  readonly #maps = new Map<string, { older: SourcedImage; map: Int32Array }>();

  /** @param vmlinux an image, of whichever of the builds */
  constructor(target: Target, vmlinux?: string) {
    this.#target = target;
    this.#vmlinux = vmlinux;
  }

  /**
   * @throws {KcovUnavailableError} With reason `no-image` where one of the two images is not found.
   * @throws {FormatError} Where one is damaged.
   */
  project(run: Run): ProjectedRun {
    const { kernel, image } = this.#target;
    const newer = this.#sourced({ kernel, image });
    const { buildId } = run.kernel;
    let known = this.#maps.get(buildId);
    if (known === undefined) {
      const older = this.#sourced(run);
      this.#maps.set(buildId, known = { older, map: projectPoints(older, newer) });
    }
    const { records } = carryRecords(run.records.map(withoutModules), {
      before: known.older.index,
      index: newer.index,
      pointMap: known.map,
    });
    let kept = 0, lost = 0;
    const projected = records.map((record, at) => {
      const { pcs } = run.records[at];
      kept += record.pcs.length;
      lost += pcs.length - record.pcs.length;
      // Stretches of code are elsewhere.
      const { firstRuns: _firstRuns, ...rest } = record;
      return record.pcs.length === pcs.length ? rest : { ...rest, truncated: true };
    });
    const { image: _image, ...others } = run;
    return {
      run: { ...others, kernel, image, modules: [], records: projected },
      buildId,
      kept,
      lost,
    };
  }

  #sourced({ kernel, image }: Target): SourcedImage {
    const { buildId } = kernel;
    const vmlinux = this.#vmlinux !== undefined && isImageOf(this.#vmlinux, buildId)
      ? this.#vmlinux
      : undefined;
    const { index, path } = loadKernelIndex(kernel, { vmlinux, image });
    const sources = sourcesOf(path);
    const built = path === undefined ? 0 : statSync(path).mtimeMs;
    return { index, source: (file) => sources.readAsBuilt(file, built) };
  }
}

/** A record without the PCs of modules: those of another build are other ones. */
function withoutModules(record: Run["records"][number]): Run["records"][number] {
  const { pcs, hits, origins } = record;
  // They are the last.
  const end = pcs.findIndex((pc) => pc >= MODULES_FROM);
  if (end < 0) return record;
  return {
    ...record,
    pcs: pcs.slice(0, end) as typeof pcs,
    hits: hits && hits.slice(0, end),
    ...origins === undefined ? {} : {
      origins: origins.map(({ points, hits, ...rest }) => {
        const stay = points.map((point) => Number(point < end));
        return {
          ...rest,
          points: points.filter((_, at) => stay[at] === 1),
          ...hits === undefined ? {} : { hits: hits.filter((_, at) => stay[at] === 1) },
        };
      }).filter(({ points }) => points.length > 0),
    },
  };
}
