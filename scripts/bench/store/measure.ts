/** The parts of the benchmark of stores, each run in a process of its own: prints its figures as one line of JSON. */
import { readFileSync } from "node:fs";
import process from "node:process";
import { benchQuestions } from "./questions.ts";
import { untilFetched } from "../../../src/coverage/hits/hit_source.ts";
import { readRun } from "../../../src/record/read_run.ts";
import { loadRun } from "../../../src/run/load_run.ts";
import { loadStore } from "../../../src/run/stores/load_store.ts";
import { compactStore } from "../../../src/store/compact_store.ts";
import { BuiltInDriver } from "../../../src/store/drivers/built_in_driver.ts";
import { DuckDbDriver } from "../../../src/store/drivers/duckdb_driver.ts";
import { fetchedHits } from "../../../src/store/fetched_hits.ts";
import { OriginDictionary } from "../../../src/store/origin_dictionary.ts";
import { HitSorter } from "../../../src/store/segments/hit_block.ts";
import type { SegmentRecord } from "../../../src/store/segments/record_table.ts";
import { writeSegment } from "../../../src/store/segments/segment.ts";
import { StoreWriter } from "../../../src/store/store_folder.ts";
import type { StoreSegment } from "../../../src/store/store_manifest.ts";
import { randomNumbers } from "../report/made_up_kernel.ts";
import { fitModel, TestMaker } from "./synthetic_tests.ts";

/** What writing or merging took. */
export interface WriteFigures {
  readonly rows: number;
  readonly seconds: number;
  /** Of the CPUs. */
  readonly cpuSeconds: number;
  readonly megabytes: number;
  /** What was fitted. */
  readonly model: string;
}

/** What questions took, in milliseconds each. */
export interface AskFigures {
  readonly openMs: number;
  /** The most memory after opening, and after each question and those before it. */
  readonly openMegabytes: number;
  readonly megabytes: Readonly<Record<string, number>>;
  /** Of each, by the clock and of the CPUs. */
  readonly questions: Readonly<Record<string, readonly (readonly [number, number])[]>>;
}

const SEGMENT_ROWS = 4_000_000;
const SEED = 20;
const SHARD = "00".repeat(8);

/** The most memory that this process has had. */
function megabytes(): number {
  const [, kilobytes] = /VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))!;
  return Math.round(Number(kilobytes) / 1000);
}

function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

async function write(
  directory: string,
  run: string,
  tests: number,
  mean: number,
): Promise<WriteFigures> {
  const { coverage } = loadRun(run);
  const random = randomNumbers(SEED);
  const dictionary = new OriginDictionary();
  const model = fitModel(coverage, dictionary, random);
  const origins = new Set(dictionary.sets.flatMap(({ origins }) => origins));
  const originOrder = [...origins].slice(0, 20);
  const maker = new TestMaker(model, random, mean);
  const { kernel, image } = readRun(run);
  using writer = new StoreWriter(directory);
  const segments: StoreSegment[] = [];
  let sorter = new HitSorter();
  let records: SegmentRecord[] = [];
  let seconds = 0, cpuSeconds = 0;
  for (let test = 0; test < tests; test++) {
    const { points, origins, counts } = maker.next();
    sorter.add(points, origins, counts);
    records.push(madeUpRecord(test, originOrder));
    if (sorter.rows < SEGMENT_ROWS && test < tests - 1) continue;
    const { id, folder } = writer.newSegment();
    const start = performance.now(), cpu = process.cpuUsage();
    const parts = { records, sets: dictionary.sets };
    segments.push(await writeSegment(folder, id, kernel.machine, parts, sorter.blocks()));
    seconds += (performance.now() - start) / 1000;
    cpuSeconds += cpuSince(cpu);
    sorter = new HitSorter();
    records = [];
  }
  const losses = { damaged: 0, lost: 0, cut: [], otherKernel: 0 };
  writer.commit({
    kernel,
    image,
    points: coverage.universe.image.pointOffset.length,
    modules: [],
    segments,
    shards: [{ id: SHARD, startedAt: Date.UTC(2026, 0, 1), records: tests, files: {}, ...losses }],
  });
  const rows = segments.reduce((sum, segment) => sum + segment.rows, 0);
  const { templates, corePoints, logDeviation } = model;
  return {
    rows,
    seconds,
    cpuSeconds,
    megabytes: megabytes(),
    model: `like ${templates.length} real tests with a core of ${corePoints} points, sizes e^±${
      logDeviation.toFixed(2)
    }`,
  };
}

/** A test as a fleet has them: so many of one file, and a few that failed. */
function madeUpRecord(test: number, originOrder: readonly number[]): SegmentRecord {
  return {
    record: {
      name: `suite ${test % 997} > case ${test}: reads and writes`,
      file: `tests/part_${test % 997}_test.ts`,
      runner: "deno",
      outcome: test % 997 === 3 ? "failed" : "passed",
      durationMs: (test * 7919 % 30_011) / 100,
      scope: "tree",
      truncated: false,
      shared: false,
      callingThreadOnly: false,
      tree: { tasks: 1, refused: [], finished: true },
      firstRuns: Float64Array.from(
        { length: 120 },
        (_, at) => 0x6000_0000 + 1024 * (test * 31 % 4001 + at * 17 % 997),
      ),
    },
    hasCounts: false,
    known: true,
    originOrder,
    unresolved: [],
    shard: SHARD,
    place: test,
    points: 0,
    allPoints: 0,
  };
}

async function merge(directory: string): Promise<WriteFigures> {
  using writer = new StoreWriter(directory);
  const start = performance.now(), cpu = process.cpuUsage();
  await compactStore(writer, writer.manifest!);
  const seconds = (performance.now() - start) / 1000;
  const [{ rows }] = writer.manifest!.segments;
  return { rows, seconds, cpuSeconds: cpuSince(cpu), megabytes: megabytes(), model: "" };
}

async function ask(directory: string, driverName: string): Promise<AskFigures> {
  const start = performance.now();
  const driver = await (driverName === "duckdb" ? DuckDbDriver : BuiltInDriver).open(directory);
  const { coverage } = await loadStore(driver, {}, fetchedHits);
  const openMs = performance.now() - start, openMegabytes = megabytes();
  const memory: Record<string, number> = {};
  const questions: Record<string, [number, number][]> = {};
  for (const { name, ask } of benchQuestions(coverage, driver)) {
    const begun = performance.now(), cpu = process.cpuUsage();
    await untilFetched(coverage, ask.sync ?? (() => {}));
    await ask.async?.();
    const { user, system } = process.cpuUsage(cpu);
    (questions[name] ??= []).push([performance.now() - begun, (user + system) / 1000]);
    memory[name] = megabytes();
  }
  const figures = { openMs, openMegabytes, megabytes: memory, questions };
  await driver.close();
  return figures;
}

const [part, directory, ...rest] = process.argv.slice(2) as [string, string, ...string[]];
const figures = part === "write"
  ? await write(directory, rest[0], Number(rest[1]), Number(rest[2]))
  : part === "merge"
  ? await merge(directory)
  : await ask(directory, rest[1]);
console.log(JSON.stringify(figures));
