/** Made-up runs of a made-up kernel, and stores of them. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  madeUpKernel,
  type Random,
  randomNumbers,
} from "../../scripts/bench/report/made_up_kernel.ts";
import { CAUSED_BY_TESTS } from "../../src/coverage/origin_selection.ts";
import type { RunCoverageOptions } from "../../src/coverage/hits/run_hits.ts";
import { RunCoverage } from "../../src/coverage/run_coverage.ts";
import { buildUniverse } from "../../src/coverage/universe.ts";
import { mergeRuns } from "../../src/record/read_run.ts";
import type { Run, RunKernel, TestRecord } from "../../src/record/test_record.ts";
import { ShardWriter } from "../../src/run/stores/shard_writer.ts";
import type { StoreDriver } from "../../src/store/drivers/driver.ts";
import { StoreWriter } from "../../src/store/store_folder.ts";
import type { StoreHitsOptions } from "../../src/store/whole_hits.ts";

export const IMAGE = madeUpKernel({ files: 12, lines: 500, points: 900, sourceFactor: 3 });
export const UNIVERSE = buildUniverse(IMAGE);
export const KERNEL: RunKernel = {
  buildId: IMAGE.buildId,
  release: "6.12.0-made-up",
  machine: "x86_64",
};
export const BEGUN = Date.UTC(2026, 0, 1);

/** Origins that records have: of own calls, works, the runtime's threads and page faults. */
const ORIGINS = [0x0000, 0x0001, 0x002a, 0x2001, 0x302a, 0xb0ca, 0xc000, 0x0c01, 0x0c05, 0xb001];

/** A made-up run of tests of all kinds: with and without origins and counts, repeats, baselines and what has no point. */
export function madeUpRun(seed: number, tests: number): Run {
  const random = randomNumbers(seed);
  const records = Array.from({ length: tests }, (_, test) => madeUpRecord(random, test));
  const names = records.map(({ name }) => name);
  return {
    kernel: KERNEL,
    modules: [],
    records: [
      { ...madeUpRecord(random, -1), kind: "baseline" },
      ...records,
      { ...madeUpRecord(random, -2), kind: "outside" },
    ],
    damaged: seed % 2,
    cut: seed % 3 === 0 ? [names[0]] : [],
  };
}

function madeUpRecord(random: Random, test: number): TestRecord {
  const whole = (limit: number): number => Math.floor(random() * limit);
  const last = IMAGE.pointOffset.length;
  const hit = new Set<number>();
  const core = whole(60);
  for (let point = 0; point < core; point++) if (random() < 0.9) hit.add(point);
  for (let stretch = whole(6); stretch > 0; stretch--) {
    const from = whole(last), to = Math.min(last, from + 1 + whole(20));
    for (let point = from; point < to; point++) hit.add(point);
  }
  const addresses = [...hit].map((point) =>
    IMAGE.base + IMAGE.pointOffset[point] + IMAGE.callLength
  );
  // Between points, and outside the image.
  for (let odd = whole(4); odd > 0; odd--) addresses.push(IMAGE.base + 16 * whole(last) + 3);
  if (random() < 0.3) addresses.push(IMAGE.base - 4096);
  const pcs = Float64Array.from(new Set(addresses)).sort();
  const hasHits = random() < 0.4, hasOrigins = random() < 0.7;
  const origins = hasOrigins ? originsOf(pcs.length, random, hasHits) : undefined;
  const sums = new Uint32Array(pcs.length);
  for (const { points, hits } of origins ?? []) {
    points.forEach((point, i) => sums[point] += hits?.[i] ?? 0);
  }
  const hits = !hasHits ? null : hasOrigins ? sums : pcs.slice().map(() => 1 + whole(1e6));
  return {
    name: `suite ${whole(3)} > case ${test < 0 ? "none" : whole(25)}`,
    file: `tests/part_${whole(2)}_test.ts`,
    outcome: random() < 0.1 ? "failed" : "passed",
    durationMs: random() * 50,
    scope: random() < 0.5 ? "thread" : "tree",
    pcs,
    hits: hits === null ? null : Uint32Array.from(hits),
    truncated: random() < 0.05,
    shared: random() < 0.05,
    callingThreadOnly: random() < 0.05,
    ...random() < 0.8 ? { runner: "deno" } : {},
    ...origins === undefined ? {} : { origins },
    ...random() < 0.5
      ? { firstRuns: Float64Array.from(new Set(Array.from(pcs, (pc) => pc - pc % 1024)).values()) }
      : {},
    ...random() < 0.2
      ? { tree: { tasks: 2, refused: [], finished: true, threadsShared: random() < 0.5 } }
      : {},
  };
}

function originsOf(count: number, random: Random, hasHits: boolean): TestRecord["origins"] {
  const points = new Map(
    ORIGINS.toSorted(() => random() - 0.5).map((origin) => [origin, [] as number[]]),
  );
  const all = [...points.keys()];
  for (let pc = 0; pc < count; pc++) {
    const own = new Set(
      [all[0], all[Math.floor(random() * all.length)]].slice(random() < 0.7 ? 1 : 0),
    );
    for (const origin of own) points.get(origin)!.push(pc);
  }
  return [...points].filter(([, of]) => of.length > 0).map(([origin, of]) => ({
    origin,
    points: Uint32Array.from(of),
    ...hasHits ? { hits: Uint32Array.from(of, () => 1 + Math.floor(random() * 9)) } : {},
  }));
}

/** A folder for a store, removed when it is disposed. */
export function temporaryFolder(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "kernelcov-stored-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** Adds runs to a store, in the given order; run `i` is shard `i`, and began in the order of the numbers. */
export async function addShards(
  directory: string,
  runs: readonly (readonly [number: number, run: Run])[],
  segmentRows?: number,
): Promise<void> {
  using writer = new StoreWriter(directory);
  const shards = new ShardWriter(
    writer,
    () => ({ image: IMAGE, path: undefined, modules: [], moved: [] }),
    segmentRows,
  );
  for (const [number, run] of runs) {
    await shards.add(run, {
      id: number.toString(16).padStart(16, "0"),
      startedAt: BEGUN + number,
      damaged: run.damaged,
      lost: run.lost ?? 0,
      cut: run.cut ?? [],
      otherKernel: 0,
      files: { [`${number}.records`]: `digest ${number}` },
    });
  }
  await shards.commit();
}

/** What the runs covered, merged as run folders are. */
export function mergedCoverage(
  runs: readonly Run[],
  options: Pick<RunCoverageOptions, "selection" | "steady"> = {},
): RunCoverage {
  const { records, damaged, cut } = mergeRuns(runs);
  return new RunCoverage(UNIVERSE, records, { kernel: KERNEL, damaged, cut, ...options });
}

/** What a store covered. */
export async function storeCoverage(
  driver: StoreDriver,
  read: (driver: StoreDriver, options: StoreHitsOptions) => Promise<RunCoverage["hits"]>,
  options: Partial<StoreHitsOptions> = {},
): Promise<RunCoverage> {
  const { selection = CAUSED_BY_TESTS, steady = false } = options;
  const points = IMAGE.pointOffset.length;
  const hits = await read(driver, { selection, steady, points, modules: [] });
  const { shards } = driver.catalog;
  return new RunCoverage(UNIVERSE, hits, {
    kernel: KERNEL,
    damaged: shards.reduce((sum, { damaged }) => sum + damaged, 0),
    cut: shards.flatMap(({ cut }) => cut),
    selection,
  });
}
