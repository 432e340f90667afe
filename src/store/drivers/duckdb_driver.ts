import { join } from "node:path";
import type {
  DuckDBConnection,
  DuckDBInstance,
  DuckDBResult,
  DuckDBVector,
} from "@duckdb/node-api";
import { FormatError } from "../../errors.ts";
import { errorReason } from "../../sys/file_error.ts";
import { BLOCK_ROWS, type HitBlock, newBlock } from "../segments/hit_block.ts";
import type { SegmentReader } from "../segments/segment.ts";
import type { StoreCatalog } from "../store_catalog.ts";
import { openSegments } from "./built_in_driver.ts";
import type { SegmentRows, StoreDriver } from "./driver.ts";

/** Points that a condition lists; more come as a table. */
const LISTED = 256;

/** Reads a store's Parquet files with DuckDB. */
export class DuckDbDriver implements StoreDriver {
  readonly name = "duckdb";
  readonly catalog: StoreCatalog;
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;
  /** By segment, the path of its hits as SQL has it. */
  readonly #files: readonly string[];

  private constructor(
    catalog: StoreCatalog,
    instance: DuckDBInstance,
    connection: DuckDBConnection,
    files: readonly string[],
  ) {
    this.catalog = catalog;
    this.#instance = instance;
    this.#connection = connection;
    this.#files = files;
  }

  /**
   * @throws {TypeError} Where the package is not installed.
   * @throws {FormatError} Where a file is damaged.
   */
  static async open(directory: string): Promise<DuckDbDriver> {
    const { DuckDBInstance } = await loadPackage();
    const { catalog, readers } = await openSegments(directory);
    const files = readers.map(({ folder }) => quoted(join(folder, "hits.parquet")));
    for (const reader of readers as readonly SegmentReader[]) reader[Symbol.dispose]();
    const instance = await DuckDBInstance.create(":memory:");
    const connection = await instance.connect();
    // Of files that lie where they are until they are removed: their footers are read once.
    await connection.run("SET parquet_metadata_cache = true");
    return new DuckDbDriver(catalog, instance, connection, files);
  }

  async rowsOfPoints(points: Uint32Array): Promise<readonly SegmentRows[]> {
    const found: SegmentRows[] = [];
    for (let segment = 0; segment < this.#files.length; segment++) {
      const rows = Array.from(points, (point) => this.catalog.rowsOf(segment, point))
        .reduce((sum, { rows }) => sum + rows, 0);
      found.push({ segment, ...await this.#rows(segment, rows, isIn("point", points)) });
    }
    return found;
  }

  async rowsOfRecords(segment: number, records: readonly number[]): Promise<SegmentRows> {
    const rows = await this.#rows(segment, 0, isIn("test", Uint32Array.from(records)));
    return { segment, ...rows };
  }

  async *allRows(): AsyncGenerator<SegmentRows> {
    for (let segment = 0; segment < this.#files.length; segment++) {
      for (const range of this.#ranges(segment)) {
        yield { segment, ...await this.#rows(segment, 0, range) };
      }
    }
  }

  async overlaps(
    points: Uint32Array,
    counts: readonly Uint8Array[],
  ): Promise<readonly Uint32Array[]> {
    const found = this.catalog.segments.map(({ records }) => new Uint32Array(records.length));
    for (let segment = 0; segment < found.length; segment++) {
      const others = Uint32Array.from(counts[segment].keys()).filter((set) =>
        counts[segment][set] === 0
      );
      const result = await this.#stream(
        `SELECT test, CAST(count(DISTINCT point) AS INTEGER) AS points FROM ${
          this.#files[segment]
        } WHERE ${isIn("point", points)}${
          others.length === 0 ? "" : ` AND NOT (${isIn("origins", others)})`
        } GROUP BY test`,
      );
      for (;;) {
        const chunk = await result.fetchChunk();
        if (chunk === null || chunk.rowCount === 0) break;
        const tests = numbers(chunk.getColumnVector(0)), sums = numbers(chunk.getColumnVector(1));
        for (let row = 0; row < chunk.rowCount; row++) found[segment][tests[row]] = sums[row];
      }
    }
    return found;
  }

  /** Conditions that hold for all rows of a segment, each for some in their order. */
  *#ranges(segment: number): Generator<string> {
    const { point, rows } = this.catalog.segments[segment].index;
    for (let from = 0, to: number; from < point.length; from = to) {
      let size = 0;
      for (to = from; to < point.length && size < BLOCK_ROWS; to++) size += rows[to];
      yield `point BETWEEN ${point[from]} AND ${point[to - 1]}`;
    }
  }

  close(): Promise<void> {
    this.#connection.closeSync();
    this.#instance.closeSync();
    return Promise.resolve();
  }

  async #stream(query: string): Promise<DuckDBResult> {
    try {
      return await this.#connection.stream(query);
    } catch (cause) {
      const said = errorReason(cause).split("\n")[0];
      throw new FormatError(
        "store",
        `DuckDB cannot read it: ${said}: ask again, or without --driver`,
        {
          cause,
        },
      );
    }
  }

  /** The rows of a segment for which a condition holds. */
  async #rows(segment: number, expected: number, condition: string): Promise<HitBlock> {
    let rows = newBlock(expected);
    let end = 0;
    for await (const block of this.#blocks(segment, condition)) {
      if (end + block.points.length > rows.points.length) {
        const larger = newBlock(2 * (end + block.points.length));
        copyBlock(rows, larger, 0);
        rows = larger;
      }
      copyBlock(block, rows, end);
      end += block.points.length;
    }
    return {
      points: rows.points.subarray(0, end),
      tests: rows.tests.subarray(0, end),
      origins: rows.origins.subarray(0, end),
      counts: rows.counts.subarray(0, end),
    };
  }

  async *#blocks(segment: number, condition: string): AsyncGenerator<HitBlock> {
    const result = await this.#stream(
      `SELECT point, test, origins, "count" FROM ${
        this.#files[segment]
      } WHERE ${condition} ORDER BY point, test`,
    );
    for (;;) {
      const chunk = await result.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) return;
      yield {
        points: numbers(chunk.getColumnVector(0)) as Int32Array,
        tests: numbers(chunk.getColumnVector(1)) as Int32Array,
        origins: numbers(chunk.getColumnVector(2)) as Int32Array,
        counts: Uint32Array.from(numbers(chunk.getColumnVector(3))),
      };
    }
  }
}

async function loadPackage(): Promise<typeof import("@duckdb/node-api")> {
  try {
    return await import("@duckdb/node-api");
  } catch (cause) {
    throw new TypeError(
      `@duckdb/node-api cannot be loaded: ${
        errorReason(cause)
      }: npm install @duckdb/node-api, or ask without --driver`,
      { cause },
    );
  }
}

/** A vector of numbers, none of them null, as the array that it is. */
function numbers(vector: DuckDBVector): Int32Array | Float64Array {
  return (vector as unknown as { readonly items: Int32Array | Float64Array }).items;
}

function copyBlock(from: HitBlock, to: HitBlock, at: number): void {
  to.points.set(from.points, at);
  to.tests.set(from.tests, at);
  to.origins.set(from.origins, at);
  to.counts.set(from.counts, at);
}

function quoted(path: string): string {
  return `read_parquet('${path.replaceAll("'", "''")}')`;
}

/** A condition that holds where a column has one of some numbers, ascending. */
function isIn(column: string, values: Uint32Array): string {
  if (values.length === 0) return "false";
  const list = values.join(", ");
  if (values.length <= LISTED) return `${column} IN (${list})`;
  // Row groups outside are not read.
  const range = `${column} BETWEEN ${values[0]} AND ${values[values.length - 1]}`;
  return `${range} AND ${column} IN (SELECT unnest([${list}]))`;
}
