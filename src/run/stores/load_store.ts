import { RunCoverage } from "../../coverage/run_coverage.ts";
import { CAUSED_BY_TESTS } from "../../coverage/origin_selection.ts";
import { FormatError } from "../../errors.ts";
import type { StoreDriver } from "../../store/drivers/driver.ts";
import { wholeHits } from "../../store/whole_hits.ts";
import type { RunHits } from "../../coverage/hits/run_hits.ts";
import type { StoreHitsOptions } from "../../store/whole_hits.ts";
import { type LoadedRun, type LoadRunOptions, universeOf } from "../load_run.ts";
import type { RunImage } from "../run_image.ts";

/** How the hits of a store are read: all at once, or when they are asked for. */
export type HitsReader = (driver: StoreDriver, options: StoreHitsOptions) => Promise<RunHits>;

/**
 * Finds what the runs in a store covered, as {@linkcode loadRun} does for a run's folder.
 *
 * @throws As {@linkcode loadRun}.
 */
export async function loadStore(
  driver: StoreDriver,
  options: LoadRunOptions = {},
  read: HitsReader = wholeHits,
): Promise<LoadedRun> {
  const { manifest, shards } = driver.catalog;
  const { kernel, modules: stored } = manifest;
  const { selection = CAUSED_BY_TESTS } = options;
  checkOrigins(driver, selection.restricts);
  const loaded = universeOf(kernel, stored, { ...options, image: manifest.image });
  const { universe, modules, paths, sources, imagePath } = loaded;
  const { numbers, points } = universeNumbers(driver, universe.image.pointOffset.length, modules);
  if (manifest.points !== points) {
    throw new FormatError(
      "store",
      `it has ${manifest.points} coverage points of the kernel, the image ${points}: name the image that it was made with by --vmlinux`,
    );
  }
  const hits = await read(driver, {
    selection,
    steady: options.steady === true,
    points: universe.image.pointOffset.length,
    numbers,
    modules: modules.map(({ name }) => name),
  });
  const sum = (count: "damaged" | "lost" | "otherKernel"): number =>
    shards.reduce((total, shard) => total + shard[count], 0);
  return {
    coverage: new RunCoverage(universe, hits, {
      kernel,
      damaged: sum("damaged"),
      lost: sum("lost"),
      cut: shards.flatMap(({ cut }) => cut),
      otherKernel: sum("otherKernel"),
      modules,
      selection,
    }),
    paths,
    sources,
    imagePath,
    // A store keeps neither comparisons nor orders.
    compared: [],
    traceOf: () => undefined,
  };
}

function checkOrigins({ catalog }: StoreDriver, restricts: boolean): void {
  if (!restricts || catalog.segments.some(({ records }) => records.known.includes(1))) return;
  throw new TypeError(
    "Cannot select origins: no record of this store knows what made the kernel run its points: " +
      "record on a kernel with collectors, such as the embedded kernel, or ask without --origin",
  );
}

/** By number in the store, that in the universe; absent where they are the same; and how many points the kernel has. */
export function universeNumbers(
  { catalog: { manifest } }: StoreDriver,
  all: number,
  modules: RunImage["modules"],
): { readonly numbers?: Int32Array; readonly points: number } {
  const points = Math.min(
    all,
    ...modules.filter((module) => module.points > 0).map(({ firstPoint }) => firstPoint),
  );
  if (manifest.modules.every((module) => module.points === 0)) return { points };
  const end = Math.max(...manifest.modules.map((one) => one.firstPoint + one.points));
  const numbers = new Int32Array(end).fill(-1);
  for (let point = 0; point < points; point++) numbers[point] = point;
  for (const { name, buildId, firstPoint, points } of manifest.modules) {
    const known = modules.find((one) => one.name === name && one.buildId === buildId);
    if (known === undefined || known.points !== points) continue;
    for (let at = 0; at < points; at++) numbers[firstPoint + at] = known.firstPoint + at;
  }
  return { numbers, points };
}
