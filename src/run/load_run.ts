import { statSync } from "node:fs";
import { RunCoverage } from "../coverage/run_coverage.ts";
import type { OriginSelection } from "../coverage/origin_selection.ts";
import { buildUniverse, type Universe } from "../coverage/universe.ts";
import { knowsOrigins } from "../kcov/origin.ts";
import { isSameKernel, readRun } from "../record/read_run.ts";
import { joinModules, movePcs } from "../record/run_modules.ts";
import type { Address } from "../base/address.ts";
import type { TraceOrder } from "../kcov/trace_order.ts";
import type { Run, RunKernel, RunModule, TestRecord } from "../record/test_record.ts";
import { absolutePaths, type PathMode } from "../report/source_path.ts";
import { isImageOf } from "./kernel_index.ts";
import { type KernelSources, sourcesOf } from "./kernel_sources.ts";
import { loadRunImage, type RunImage, type RunImageOptions } from "./run_image.ts";

/** How to read a run back. */
export interface LoadRunOptions extends RunImageOptions {
  /** Leave out of each test the points that come and go between its repeats. */
  readonly steady?: boolean | undefined;
  /** Which origins count; by default what tests caused: their own, and what ran on their behalf. */
  readonly selection?: OriginSelection | undefined;
  /**
   * What source paths start with: a folder, or empty for paths relative to the kernel's root. By default the folder
   * of the kernel's source if it is beside the image, so that genhtml and editors find the files; else empty.
   */
  readonly sourcePrefix?: string;
  /** Universes that were made, which are made once for runs that are compared. */
  readonly universes?: Map<string, LoadedUniverse>;
}

/** What can be covered of a kernel and its modules, and where the sources are. */
export interface LoadedUniverse
  extends Omit<RunImage, "image" | "path">, Omit<LoadedRun, "coverage" | "traceOf"> {
  readonly universe: Universe;
}

/** A run, symbolized. */
export interface LoadedRun {
  readonly coverage: RunCoverage;
  readonly paths: PathMode;
  /** The kernel's source files, where they are available. */
  readonly sources: KernelSources;
  /** Where the kernel's image is; `undefined` where only its index is left. */
  readonly imagePath: string | undefined;
  /** The order in which the points of a test ran, by the test's number; `undefined` where it was not recorded. */
  traceOf(test: number): TestTrace | undefined;
}

/** The order of a test's points, with the PCs at the addresses of the image. */
export interface TestTrace {
  readonly pcs: ArrayLike<Address>;
  readonly order: TraceOrder;
}

/**
 * Finds what a run's records covered.
 *
 * @param run its folder, or what was read of it
 * @throws {FormatError} Where there are no records, or the image is damaged or of another kernel.
 * @throws {TypeError} Where the selection names a call that the kernel has not, or no record has origins.
 * @throws {KcovUnavailableError} With reason `no-image` where the kernel's image is not found.
 */
export function loadRun(run: string | Run, options: LoadRunOptions = {}): LoadedRun {
  return loadRuns([run], options)[0];
}

/**
 * Reads several runs. Those of one kernel build have one universe, with the modules that any of them had loaded, so that
 * their points and lines have the same numbers.
 *
 * @throws As {@linkcode loadRun}.
 */
export function loadRuns(
  folders: readonly (string | Run)[],
  options: LoadRunOptions = {},
): LoadedRun[] {
  const runs = folders.map((run) => typeof run === "string" ? readRun(run) : run);
  if (options.selection?.restricts) runs.forEach(checkOrigins);
  const loaded = new Map<Run, LoadedRun>();
  for (const run of runs) {
    if (loaded.has(run)) continue;
    const alike = runs.filter(({ kernel }) => isSameKernel(kernel, run.kernel));
    const image = alike.findLast((other) => other.image !== undefined)?.image;
    const vmlinux = namedFor(run.kernel, options.vmlinux, alike.length === runs.length);
    loadAlike(alike, { ...options, image, vmlinux }).forEach((one, i) => loaded.set(alike[i], one));
  }
  return runs.map((run) => loaded.get(run)!);
}

/** Holds that anything of a run can be selected by its origins. */
function checkOrigins({ records }: Run): void {
  if (records.some(knowsOrigins)) return;
  throw new TypeError(
    "Cannot select origins: no record of this run knows what made the kernel run its points: " +
      "record on a kernel with collectors, such as the embedded kernel, or ask without --origin",
  );
}

/** The image that was named, where it can be meant for this kernel: of runs of several kernels it is one's. */
function namedFor(
  kernel: RunKernel,
  vmlinux: string | undefined,
  isOnly: boolean,
): string | undefined {
  if (vmlinux === undefined || isOnly) return vmlinux;
  return isImageOf(vmlinux, kernel.buildId) ? vmlinux : undefined;
}

/** Runs of one kernel build. */
function loadAlike(runs: readonly Run[], options: LoadRunOptions): LoadedRun[] {
  const joined = joinModules(runs);
  const { universe, modules, moved, paths, sources, imagePath } = universeOf(
    runs[0].kernel,
    joined.modules,
    options,
  );
  return runs.map(({ kernel, damaged, lost, cut, otherKernel }, i) => {
    const records = joined.records[i].map((record) => movePcs(record, moved));
    return {
      coverage: new RunCoverage(universe, records, {
        kernel,
        damaged,
        lost,
        cut,
        otherKernel,
        modules,
        steady: options.steady === true,
        selection: options.selection,
      }),
      imagePath,
      traceOf: tracesOf(records),
      paths,
      sources,
    };
  });
}

/** Finds the trace of a test among the records of a run. Holds no more of them than the traces. */
function tracesOf(records: readonly TestRecord[]): LoadedRun["traceOf"] {
  const traces = records.filter(({ kind }) => kind !== "baseline" && kind !== "outside")
    .map(({ pcs, order }) => order && { pcs, order });
  return (test) => traces[test];
}

/** What can be covered of a kernel and its modules, and where the sources are. */
export function universeOf(
  kernel: RunKernel,
  runModules: readonly RunModule[],
  options: LoadRunOptions,
): LoadedUniverse {
  const key = JSON.stringify([kernel, runModules]);
  const known = options.universes?.get(key);
  if (known !== undefined) return known;
  const { image, path, modules, moved } = loadRunImage(kernel, runModules, options);
  const sources = sourcesOf(path);
  const prefix = options.sourcePrefix ?? sources.root ?? "";
  const elsewhere = options.sourcePrefix === undefined
    ? sources.elsewhere(image.files)
    : new Map<string, string>();
  const universe = buildUniverse(
    image,
    sources.root === undefined || path === undefined
      ? {}
      : { sourceLines: changedSourceLines(sources, path) },
  );
  const paths = prefix === "" ? "relative" : absolutePaths(prefix, elsewhere);
  const made = { universe, modules, moved, paths, sources, imagePath: path };
  options.universes?.set(key, made);
  return made;
}

/**
 * Counts the lines of source files that are newer than the image: only they can have become shorter than its debug
 * information says.
 */
function changedSourceLines(
  sources: KernelSources,
  image: string,
): (file: string) => number | undefined {
  const built = statSync(image).mtimeMs;
  return (file) => {
    const bytes = sources.readIfNewer(file, built);
    return bytes === undefined ? undefined : countLines(bytes);
  };
}

function countLines(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) lines++;
  return bytes.length > 0 && bytes[bytes.length - 1] !== 10 ? lines + 1 : lines;
}
