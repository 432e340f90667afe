import { FormatError } from "../../errors.ts";
import type { SegmentRows, StoreDriver } from "../drivers/driver.ts";
import type { OriginSet } from "../origin_dictionary.ts";
import { BLOCK_ROWS } from "../segments/hit_block.ts";
import type { PointIndex } from "../segments/point_index.ts";
import { RECORD_COLUMNS } from "../segments/record_table.ts";
import { StoredRecords } from "../segments/stored_records.ts";
import { type CatalogSegment, StoreCatalog } from "../store_catalog.ts";
import type { StoreManifest } from "../store_manifest.ts";
import { readManifests } from "./load_tables.ts";
import { LISTED, quotedText, ServerTables } from "./server_tables.ts";

/** Reads the tables that {@linkcode loadTables} has filled. */
export class ClickHouseDriver implements StoreDriver {
  readonly name = "clickhouse";
  readonly catalog: StoreCatalog;
  readonly #tables: ServerTables;
  /** By segment, its name in the tables, as SQL has it. */
  readonly #names: readonly string[];

  private constructor(catalog: StoreCatalog, tables: ServerTables, names: readonly string[]) {
    this.catalog = catalog;
    this.#tables = tables;
    this.#names = names;
  }

  /**
   * @throws {TypeError} Where the package is not installed, the server does not answer, or there are no tables.
   * @throws {FormatError} Where nothing was loaded into them.
   */
  static async open(address: string): Promise<ClickHouseDriver> {
    const tables = await ServerTables.open(address);
    try {
      const manifests = await readManifests(tables);
      if (manifests.size === 0) {
        throw new FormatError(
          "store",
          `the tables are empty: kernelcov store load STORE ${address}`,
        );
      }
      const names = [...manifests.keys()].map(quotedText);
      const segments: CatalogSegment[] = [];
      for (const [at, { segments: [{ id }] }] of [...manifests.values()].entries()) {
        segments.push({ id, ...await readSegment(tables, names[at]) });
      }
      const catalog = new StoreCatalog(joinManifests([...manifests.values()]), segments);
      return new ClickHouseDriver(catalog, tables, names);
    } catch (error) {
      await tables.close();
      throw error;
    }
  }

  async rowsOfPoints(points: Uint32Array): Promise<readonly SegmentRows[]> {
    const found: SegmentRows[] = [];
    for (let segment = 0; segment < this.#names.length; segment++) {
      const parts: Uint32Array[][] = [];
      for (let from = 0; from < points.length; from += LISTED) {
        parts.push(await this.#rows(segment, `point IN (${points.subarray(from, from + LISTED)})`));
      }
      found.push(rowsOf(segment, parts));
    }
    return found;
  }

  async rowsOfRecords(segment: number, records: readonly number[]): Promise<SegmentRows> {
    return rowsOf(segment, [await this.#rows(segment, `test IN (${records.join()})`)]);
  }

  async *allRows(): AsyncGenerator<SegmentRows> {
    for (let segment = 0; segment < this.#names.length; segment++) {
      const { point, rows } = this.catalog.segments[segment].index;
      for (let from = 0, to: number; from < point.length; from = to) {
        let size = 0;
        for (to = from; to < point.length && size < BLOCK_ROWS; to++) size += rows[to];
        const range = `point BETWEEN ${point[from]} AND ${point[to - 1]}`;
        yield rowsOf(segment, [await this.#rows(segment, range)]);
      }
    }
  }

  async overlaps(
    points: Uint32Array,
    counts: readonly Uint8Array[],
  ): Promise<readonly Uint32Array[]> {
    const found = this.catalog.segments.map(({ records }) => new Uint32Array(records.length));
    for (let segment = 0; segment < found.length; segment++) {
      const others = [...counts[segment].keys()].filter((set) => counts[segment][set] === 0);
      const counting = others.length === 0 ? "" : `AND origins NOT IN (${others.join()})`;
      for (let from = 0; from < points.length; from += LISTED) {
        const [tests, sums] = await this.#tables.numbers(
          `SELECT test, toUInt32(uniqExact(point)) FROM ${
            this.#tables.table("hits")
          } WHERE segment = ${this.#names[segment]} AND point IN (${
            points.subarray(from, from + LISTED)
          }) ${counting} GROUP BY test`,
          2,
        );
        tests.forEach((test, at) => found[segment][test] += sums[at]);
      }
    }
    return found;
  }

  async close(): Promise<void> {
    await this.#tables.close();
  }

  async #rows(segment: number, condition: string): Promise<Uint32Array[]> {
    return await this.#tables.numbers(
      `SELECT point, test, origins, count FROM ${this.#tables.table("hits")} WHERE segment = ${
        this.#names[segment]
      } AND ${condition} ORDER BY point, test`,
      4,
    );
  }
}

function rowsOf(segment: number, parts: readonly Uint32Array[][]): SegmentRows {
  const [points, tests, origins, counts] = [0, 1, 2, 3].map((column) => {
    const size = parts.reduce((sum, part) => sum + part[column].length, 0);
    const all = new Uint32Array(size);
    let end = 0;
    for (const part of parts) {
      all.set(part[column], end);
      end += part[column].length;
    }
    return all;
  }) as [Uint32Array, Uint32Array, Uint32Array, Uint32Array];
  return {
    segment,
    points: new Int32Array(points.buffer),
    tests: new Int32Array(tests.buffer),
    origins: new Int32Array(origins.buffer),
    counts,
  };
}

async function readSegment(
  tables: ServerTables,
  name: string,
): Promise<Omit<CatalogSegment, "id">> {
  const records = await readRecords(tables, name);
  const sets = (await tables.rows<{ members: string; threads_shared: number; known: number }>(
    `SELECT members, threads_shared, known FROM ${
      tables.table("origins")
    } WHERE segment = ${name} ORDER BY origins`,
  )).map(({ members, threads_shared, known }): OriginSet => ({
    origins: members === "" ? [] : members.split(" ").map(Number),
    threadsShared: threads_shared === 1,
    known: known === 1,
  }));
  const [point, rows, count, sole, left, apart] = (await tables.numbers(
    `SELECT point, rows, tests, toUInt32(sole), toUInt32(left), toUInt32(apart) FROM ${
      tables.table("points")
    } WHERE segment = ${name} ORDER BY point`,
    6,
  )).map((column) => new Int32Array(column.buffer));
  const row = new Int32Array(point.length);
  for (let at = 1; at < row.length; at++) row[at] = row[at - 1] + rows[at - 1];
  const index: PointIndex = { point, row, rows, tests: count, sole, left, apart };
  return { records, sets, index };
}

async function readRecords(tables: ServerTables, name: string): Promise<StoredRecords> {
  const rows = await tables.rows<Record<string, unknown>>(
    `SELECT * FROM ${tables.table("tests")} WHERE segment = ${name} ORDER BY test`,
  );
  const columns = Object.fromEntries(RECORD_COLUMNS.map(({ name, kind }) => [
    name,
    rows.map((row) => kind === "bytes" ? Uint8Array.fromBase64(row[name] as string) : row[name]),
  ]));
  return StoredRecords.of(columns, rows.length);
}

/** The manifest of all segments together: a shard may be in several. */
function joinManifests(manifests: readonly StoreManifest[]): StoreManifest {
  const shards = new Map(manifests.flatMap(({ shards }) => shards.map((one) => [one.id, one])));
  return {
    ...manifests[0],
    segments: manifests.flatMap(({ segments }) => segments),
    shards: [...shards.values()],
  };
}
