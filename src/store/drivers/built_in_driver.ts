import { BLOCK_ROWS, newBlock, partOf } from "../segments/hit_block.ts";
import { SegmentReader } from "../segments/segment.ts";
import { type CatalogSegment, StoreCatalog } from "../store_catalog.ts";
import { FormatError } from "../../errors.ts";
import { errorCode } from "../../sys/file_error.ts";
import { readManifest } from "../store_folder.ts";
import { manifestText, type StoreManifest } from "../store_manifest.ts";
import type { SegmentRows, StoreDriver } from "./driver.ts";

/** Rows between two points' that are read too rather than sought over. */
const GAP_ROWS = 20_000;

/** Reads a store's Parquet files itself. */
export class BuiltInDriver implements StoreDriver {
  readonly name = "built in";
  readonly catalog: StoreCatalog;
  readonly #readers: readonly SegmentReader[];

  private constructor(catalog: StoreCatalog, readers: readonly SegmentReader[]) {
    this.catalog = catalog;
    this.#readers = readers;
  }

  /** @throws {FormatError} Where a file is damaged. */
  static async open(directory: string): Promise<BuiltInDriver> {
    const { catalog, readers } = await openSegments(directory);
    return new BuiltInDriver(catalog, readers);
  }

  async rowsOfPoints(points: Uint32Array): Promise<readonly SegmentRows[]> {
    const found: SegmentRows[] = [];
    for (let segment = 0; segment < this.#readers.length; segment++) {
      found.push(await this.#rowsOfPoints(segment, points));
    }
    return found;
  }

  async #rowsOfPoints(segment: number, points: Uint32Array): Promise<SegmentRows> {
    const places = Array.from(
      points,
      (point) => ({ point, ...this.catalog.rowsOf(segment, point) }),
    )
      .filter(({ rows }) => rows > 0);
    const block = newBlock(places.reduce((sum, { rows }) => sum + rows, 0));
    let end = 0;
    for (let first = 0, last: number; first < places.length; first = last + 1) {
      const from = places[first].row;
      let to = from + places[first].rows;
      for (last = first; last + 1 < places.length; last++) {
        const { row, rows } = places[last + 1];
        if (row - to > GAP_ROWS || row + rows - from > BLOCK_ROWS) break;
        to = row + rows;
      }
      const read = await this.#readers[segment].rows(from, to);
      for (let at = first; at <= last; at++) {
        const { point, row, rows } = places[at];
        const start = row - from;
        block.points.fill(point, end, end + rows);
        block.tests.set(read.tests.subarray(start, start + rows), end);
        block.origins.set(read.origins.subarray(start, start + rows), end);
        block.counts.set(read.counts.subarray(start, start + rows), end);
        end += rows;
      }
    }
    return { segment, ...block };
  }

  async rowsOfRecords(segment: number, records: readonly number[]): Promise<SegmentRows> {
    const wanted = new Uint8Array(this.catalog.segments[segment].records.length);
    for (const record of records) wanted[record] = 1;
    const size = records.reduce(
      (sum, record) => sum + this.catalog.segments[segment].records.allPoints[record],
      0,
    );
    let block = newBlock(size);
    let end = 0;
    for await (const rows of this.#rowsOf(segment)) {
      for (let row = 0; row < rows.tests.length; row++) {
        if (wanted[rows.tests[row]] === 0) continue;
        // Of records with counts a point may have several.
        if (end === block.points.length) {
          const larger = newBlock(2 * end + 16);
          larger.points.set(block.points);
          larger.tests.set(block.tests);
          larger.origins.set(block.origins);
          larger.counts.set(block.counts);
          block = larger;
        }
        block.points[end] = rows.points[row];
        block.tests[end] = rows.tests[row];
        block.origins[end] = rows.origins[row];
        block.counts[end++] = rows.counts[row];
      }
    }
    return { segment, ...partOf(block, 0, end) };
  }

  /** Every row, or every one of a segment, in blocks. */
  async *allRows(only?: number): AsyncGenerator<SegmentRows> {
    const segments = only === undefined ? this.#readers.keys() : [only];
    for (const segment of segments) yield* this.#rowsOf(segment);
  }

  async *#rowsOf(segment: number): AsyncGenerator<SegmentRows> {
    const { point, row, rows } = this.catalog.segments[segment].index;
    const { segment: { rows: all } } = this.#readers[segment];
    for (let from = 0, entry = 0; from < all; from += BLOCK_ROWS) {
      const to = Math.min(from + BLOCK_ROWS, all);
      const read = await this.#readers[segment].rows(from, to);
      const points = new Int32Array(to - from);
      for (let at = from; at < to;) {
        const end = Math.min(row[entry] + rows[entry], to);
        points.fill(point[entry], at - from, end - from);
        at = end;
        if (end === row[entry] + rows[entry]) entry++;
      }
      yield { segment, points, ...read };
    }
  }

  async overlaps(
    points: Uint32Array,
    counts: readonly Uint8Array[],
  ): Promise<readonly Uint32Array[]> {
    const found = this.catalog.segments.map(({ records }) => new Uint32Array(records.length));
    for (let segment = 0; segment < found.length; segment++) {
      const sum = found[segment], counting = counts[segment];
      // A hot core has most rows of a store: not all lie in memory at once.
      for (const part of batches(this.catalog, segment, points)) {
        const { points: of, tests, origins } = await this.#rowsOfPoints(segment, part);
        let point = -1, test = -1;
        for (let row = 0; row < tests.length; row++) {
          if (counting[origins[row]] === 0 || (of[row] === point && tests[row] === test)) continue;
          point = of[row];
          test = tests[row];
          sum[test]++;
        }
      }
    }
    return found;
  }

  close(): Promise<void> {
    for (const reader of this.#readers) reader[Symbol.dispose]();
    return Promise.resolve();
  }
}

/** Points in parts whose rows are about a block. */
function* batches(
  catalog: StoreCatalog,
  segment: number,
  points: Uint32Array,
): Generator<Uint32Array> {
  for (let from = 0, to: number; from < points.length; from = to) {
    let rows = 0;
    for (to = from; to < points.length && rows < BLOCK_ROWS; to++) {
      rows += catalog.rowsOf(segment, points[to]).rows;
    }
    yield points.subarray(from, to);
  }
}

/** Segments that are open, and what was read of them. */
interface OpenSegments {
  readonly catalog: StoreCatalog;
  readonly readers: readonly SegmentReader[];
}

/**
 * Opens the segments of a store in a folder, and reads all of them but the hits.
 *
 * @throws {FormatError} Where a file is missing or damaged.
 */
export async function openSegments(directory: string): Promise<OpenSegments> {
  const manifest = readManifest(directory);
  const readers: SegmentReader[] = [];
  try {
    return await readSegments(directory, manifest, readers);
  } catch (error) {
    for (const reader of readers) reader[Symbol.dispose]();
    if (errorCode(error) !== "ENOENT") throw error;
    // Another command has compacted it since the manifest was read.
    const isOld = manifestText(readManifest(directory)) !== manifestText(manifest);
    if (isOld) return await openSegments(directory);
    throw new FormatError(
      "store",
      `files of ${directory} are missing: add the runs to a new store`,
      {
        cause: error,
      },
    );
  }
}

async function readSegments(
  directory: string,
  manifest: StoreManifest,
  readers: SegmentReader[],
): Promise<OpenSegments> {
  const segments: CatalogSegment[] = [];
  for (const segment of manifest.segments) {
    const reader = await SegmentReader.open(directory, segment);
    readers.push(reader);
    segments.push({
      id: segment.id,
      records: await reader.records(),
      sets: await reader.sets(),
      index: await reader.index(),
    });
  }
  return { catalog: new StoreCatalog(manifest, segments), readers };
}
