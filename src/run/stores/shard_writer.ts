import type { RunImage } from "../run_image.ts";
import { FormatError } from "../../errors.ts";
import { isSameKernel } from "../../record/read_run.ts";
import { movePcs } from "../../record/run_modules.ts";
import type { Run } from "../../record/test_record.ts";
import { OriginDictionary } from "../../store/origin_dictionary.ts";
import { RecordResolver } from "../../store/record_rows.ts";
import { HitSorter } from "../../store/segments/hit_block.ts";
import type { SegmentRecord } from "../../store/segments/record_table.ts";
import { writeSegment } from "../../store/segments/segment.ts";
import type { StoreWriter } from "../../store/store_folder.ts";
import type { StoreManifest, StoreModule, StoreShard } from "../../store/store_manifest.ts";

/** Rows that are gathered in memory before they become a segment. */
const SEGMENT_ROWS = 4_000_000;

/** So long after the last commit the next shard is committed with those before it. */
const COMMIT_AFTER_MS = 30_000;

/** Where the images of a run are found. */
export type ImageLoader = (run: Pick<Run, "kernel" | "modules" | "image">) => RunImage;

/**
 * Adds runs to a store. Rows are gathered until they are worth a segment; the shards that a segment is of are in the
 * store when it is committed, whole.
 */
export class ShardWriter {
  readonly #writer: StoreWriter;
  readonly #load: ImageLoader;
  readonly #segmentRows: number;
  #manifest: StoreManifest | undefined;
  /** No run was added in part. */
  #isWhole = true;
  #committed = performance.now();
  #sorter = new HitSorter();
  #records: SegmentRecord[] = [];
  #dictionary = new OriginDictionary();
  #shards: StoreShard[] = [];
  /** Segments of shards that are not whole yet. */
  #segments: StoreManifest["segments"][number][] = [];

  constructor(writer: StoreWriter, load: ImageLoader, segmentRows = SEGMENT_ROWS) {
    this.#writer = writer;
    this.#load = load;
    this.#segmentRows = segmentRows;
    this.#manifest = writer.manifest;
  }

  /** The build of the store, and where its image was; `undefined` of a new one. */
  get build(): Pick<StoreManifest, "kernel" | "image"> | undefined {
    return this.#manifest;
  }

  /** Names and digests of the record files that the store has, or will have. */
  files(): ReadonlyMap<string, string> {
    const shards = [...this.#manifest?.shards ?? [], ...this.#shards];
    return new Map(shards.flatMap(({ files }) => Object.entries(files)));
  }

  /**
   * Adds a run.
   *
   * @param faults how many allocations were made to fail in it, which a store has not
   * @throws {FormatError} Where it is of another build than what the store has; names both.
   */
  async add(
    run: Run,
    shard: Omit<StoreShard, "records" | "leftInRuns">,
    faults = 0,
  ): Promise<void> {
    this.#checkWhole();
    const { kernel } = run;
    const store = this.#manifest?.kernel;
    if (store !== undefined && !isSameKernel(store, kernel)) {
      throw new FormatError(
        "store",
        `the runs in it are of ${store.release} ${store.machine} (build id ${store.buildId}), this one is of ${kernel.release} ${kernel.machine} (build id ${kernel.buildId}): add it to a store of its own, or with --by-line`,
      );
    }
    const { image, modules, moved } = this.#load(run);
    const firstModule = Math.min(
      image.pointOffset.length,
      ...modules.filter(({ points }) => points > 0).map(({ firstPoint }) => firstPoint),
    );
    const manifest = this.#manifest ?? {
      kernel,
      image: run.image,
      points: firstModule,
      modules: [],
      segments: [],
      shards: [],
    };
    if (manifest.points !== firstModule) {
      throw new FormatError(
        "store",
        `it has ${manifest.points} coverage points of the kernel, the image ${firstModule}: name the image that it was made with by --vmlinux`,
      );
    }
    const known = withModules(manifest, run, modules);
    this.#manifest = { ...known, image: run.image ?? known.image };
    const numbers = storeNumbers(image.pointOffset.length, modules, known.modules);
    const resolver = (): RecordResolver => new RecordResolver(image, modules, this.#dictionary);
    let resolve = resolver();
    this.#isWhole = false;
    const left = { orders: 0, comparisons: 0, faults };
    for (const [place, record] of run.records.entries()) {
      // A store has points.
      if (record.order !== undefined) left.orders++;
      if (record.comparisons !== undefined) {
        left.comparisons++;
        continue;
      }
      const { stored, rows } = resolve.resolve(movePcs(record, moved));
      const points = numbers === undefined
        ? rows.points
        : rows.points.map((point) => numbers[point]);
      this.#records.push({ ...stored, shard: shard.id, place, points: 0, allPoints: 0 });
      this.#sorter.add(points, rows.origins, rows.counts);
      // A run that is much larger than a segment is in several.
      if (this.#sorter.rows < 2 * this.#segmentRows) continue;
      await this.#writeSegment();
      resolve = resolver();
    }
    this.#isWhole = true;
    const isLeft = left.orders + left.comparisons + faults > 0;
    this.#shards.push({
      ...shard,
      records: run.records.length - left.comparisons,
      ...isLeft ? { leftInRuns: left } : {},
    });
    // Small shards take long to read where there are many: a kill should not cost them all.
    const isLong = performance.now() - this.#committed > COMMIT_AFTER_MS;
    const isLarge = this.#segments.length > 0 || this.#sorter.rows >= this.#segmentRows;
    if (isLarge || isLong) await this.commit();
  }

  /** Puts what was added into the store. */
  async commit(): Promise<void> {
    this.#checkWhole();
    if (this.#manifest === undefined || this.#shards.length === 0) return;
    await this.#writeSegment();
    this.#manifest = {
      ...this.#manifest,
      segments: [...this.#manifest.segments, ...this.#segments],
      shards: [...this.#manifest.shards, ...this.#shards],
    };
    this.#segments = [];
    this.#shards = [];
    this.#writer.commit(this.#manifest);
    this.#committed = performance.now();
  }

  /** @throws {RangeError} Where a run was added in part, since something failed: it must not be committed. */
  #checkWhole(): void {
    if (this.#isWhole) return;
    throw new RangeError("A run could be added in part only: add it and those after it again");
  }

  async #writeSegment(): Promise<void> {
    if (this.#records.length === 0) return;
    const { id, folder } = this.#writer.newSegment();
    const parts = { records: this.#records, sets: this.#dictionary.sets };
    const { machine } = this.#manifest!.kernel;
    this.#segments.push(await writeSegment(folder, id, machine, parts, this.#sorter.blocks()));
    this.#sorter = new HitSorter();
    this.#records = [];
    this.#dictionary = new OriginDictionary();
  }
}

/** The manifest with the modules of a run: each has numbers for its points of its own. */
function withModules(
  manifest: StoreManifest,
  run: Pick<Run, "modules">,
  covered: RunImage["modules"],
): StoreManifest {
  const modules: StoreModule[] = [...manifest.modules];
  for (const { name, buildId, points } of covered) {
    const at = modules.findIndex((known) => known.name === name && known.buildId === buildId);
    if (at >= 0 && modules[at].points === points) continue;
    if (at >= 0 && points === 0) continue;
    const module = run.modules.find((one) => one.name === name && one.buildId === buildId)!;
    const firstPoint = modules.reduce(
      (end, known) => Math.max(end, known.firstPoint + known.points),
      manifest.points,
    );
    const added = { ...module, firstPoint, points };
    // It had no image until now.
    if (at >= 0 && modules[at].points === 0) modules[at] = added;
    else modules.push(added);
  }
  return { ...manifest, modules };
}

/** The store's number of each point of the joined image; `undefined` where they are the same. */
export function storeNumbers(
  points: number,
  covered: RunImage["modules"],
  modules: readonly StoreModule[],
): Int32Array | undefined {
  if (covered.every((module) => module.points === 0)) return undefined;
  const numbers = Int32Array.from({ length: points }, (_, point) => point);
  for (const { name, buildId, firstPoint, points } of covered) {
    if (points === 0) continue;
    const known = modules.find((one) => one.name === name && one.buildId === buildId)!;
    for (let at = 0; at < points; at++) numbers[firstPoint + at] = known.firstPoint + at;
  }
  return numbers;
}
