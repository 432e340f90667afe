import { closeSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from "node:fs";
import {
  type AsyncBuffer,
  type DecodedArray,
  type FileMetaData,
  parquetMetadataAsync,
  parquetRead,
  type SchemaElement,
} from "hyparquet";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import { FormatError } from "../../errors.ts";

/**
 * What a column holds: `sorted` is that by which rows are in order, `ascending` is mostly so; both, and `number`, are of 32
 * bits, signed; `real` is of 64 bits.
 */
export type ColumnKind =
  | "sorted"
  | "ascending"
  | "number"
  | "real"
  | "text"
  | "flag"
  | "bytes";

/** A column of a table. None is ever null. */
export interface Column {
  readonly name: string;
  readonly kind: ColumnKind;
}

const SCHEMA: Readonly<Record<ColumnKind, Partial<SchemaElement>>> = {
  sorted: { type: "INT32" },
  ascending: { type: "INT32" },
  number: { type: "INT32" },
  real: { type: "DOUBLE" },
  text: { type: "BYTE_ARRAY", converted_type: "UTF8" },
  flag: { type: "BOOLEAN" },
  bytes: { type: "BYTE_ARRAY" },
};

/** Bytes of a page, before compression: what a reader of a few rows has to decode. */
const PAGE_BYTES = 1 << 17;
/** Rows of a row group: DuckDB decodes whole ones of the column by which rows are in order. */
const GROUP_ROWS = 1 << 16;
/** Bytes that are gathered before they are written. */
const WRITE_BYTES = 1 << 20;

/** Writes a Parquet file, row group by row group. */
export class TableWriter implements Disposable {
  readonly #columns: readonly Column[];
  readonly #writer: ParquetWriter;
  readonly #bytes: ByteWriter;
  readonly #fd: number;
  #size = 0;
  #open = true;

  /** @throws {Error} The file system's own, such as `EEXIST`. */
  constructor(path: string, columns: readonly Column[]) {
    this.#columns = columns;
    this.#fd = openSync(path, "wx");
    this.#bytes = new ByteWriter();
    const schema: SchemaElement[] = [
      { name: "root", num_children: columns.length },
      ...columns.map(({ name, kind }): SchemaElement => ({
        name,
        repetition_type: "REQUIRED",
        ...SCHEMA[kind],
      })),
    ];
    this.#writer = new ParquetWriter({ writer: this.#bytes, schema, createdBy: "kernelcov" });
  }

  /** Adds rows: an array for each column, all of one length. */
  write(...data: readonly DecodedArray[]): void {
    this.#writer.write({
      columnData: this.#columns.map(({ name, kind }, at) => ({
        name,
        data: data[at],
        // Only where rows are in the order of the column can an engine pass over any by them.
        statistics: kind === "sorted",
        columnIndex: kind === "sorted",
        ...kind === "sorted" || kind === "ascending"
          ? { encoding: "DELTA_BINARY_PACKED" as const }
          : {},
      })),
      rowGroupSize: GROUP_ROWS,
      pageSize: PAGE_BYTES,
    });
    if (this.#bytes.index >= WRITE_BYTES) this.#flush();
  }

  /** Ends the file, and returns its bytes once they are on the disk. */
  end(): number {
    this.#writer.finish();
    this.#flush();
    fsyncSync(this.#fd);
    this[Symbol.dispose]();
    return this.#size;
  }

  [Symbol.dispose](): void {
    if (this.#open) closeSync(this.#fd);
    this.#open = false;
  }

  #flush(): void {
    const bytes = new Uint8Array(this.#bytes.buffer, 0, this.#bytes.index);
    for (let at = 0; at < bytes.length;) at += writeSync(this.#fd, bytes, at, bytes.length - at);
    this.#size += bytes.length;
    this.#bytes.index = 0;
  }
}

/** Reads a Parquet file. */
export class TableReader implements Disposable {
  readonly #file: AsyncBuffer;
  readonly #metadata: FileMetaData;
  readonly #fd: number;
  readonly #path: string;
  readonly rows: number;

  private constructor(path: string, fd: number, file: AsyncBuffer, metadata: FileMetaData) {
    this.#path = path;
    this.#fd = fd;
    this.#file = file;
    this.#metadata = metadata;
    this.rows = Number(metadata.num_rows);
  }

  /**
   * @throws {FormatError} Where it is damaged.
   * @throws {Error} The file system's own, such as `ENOENT`.
   */
  static async open(path: string): Promise<TableReader> {
    // What is missing is the caller's to judge.
    const fd = openSync(path, "r");
    try {
      const { size } = fstatSync(fd);
      const file: AsyncBuffer = {
        byteLength: size,
        slice(start, end = size) {
          const bytes = new Uint8Array(end - start);
          for (let at = 0; at < bytes.length;) {
            const read = readSync(fd, bytes, at, bytes.length - at, start + at);
            if (read === 0) throw new FormatError("store", `${path} is cut short`);
            at += read;
          }
          return bytes.buffer;
        },
      };
      return new TableReader(path, fd, file, await parquetMetadataAsync(file));
    } catch (error) {
      closeSync(fd);
      throw damaged(path, error);
    }
  }

  /** A column of numbers, rows `from` up to, not including, `to`. */
  async numbers(column: string, from = 0, to: number = this.rows): Promise<Int32Array> {
    return await this.#fill(new Int32Array(to - from), column, from, to);
  }

  /** The same of whole numbers of 32 bits, unsigned, in a column of `real`. */
  async counts(column: string, from: number, to: number): Promise<Uint32Array> {
    return await this.#fill(new Uint32Array(to - from), column, from, to);
  }

  async #fill<Found extends Int32Array | Uint32Array>(
    found: Found,
    column: string,
    from: number,
    to: number,
  ): Promise<Found> {
    await this.#read(column, from, to, (part, at) => found.set(part as ArrayLike<number>, at));
    return found;
  }

  /** A column of anything, part by part: the number of the first row of each comes with it. */
  async parts(
    column: string,
    take: (part: ArrayLike<unknown>, at: number) => void,
  ): Promise<void> {
    let from = 0;
    // What is read at once lies in memory together.
    for (const { num_rows } of this.#metadata.row_groups) {
      const first = from, end = from + Number(num_rows);
      await this.#read(column, first, end, (part, at) => take(part, first + at));
      from = end;
    }
  }

  /** A column of anything. */
  async values<Value>(column: string): Promise<Value[]> {
    const found: Value[] = [];
    await this.#read(column, 0, this.rows, (part) => {
      for (const value of part) found.push(value as Value);
    });
    return found;
  }

  async #read(
    column: string,
    from: number,
    to: number,
    take: (part: DecodedArray, at: number) => void,
  ): Promise<void> {
    if (from === to) return;
    try {
      await this.#pages(column, from, to, take);
    } catch (error) {
      throw damaged(this.#path, error);
    }
  }

  async #pages(
    column: string,
    from: number,
    to: number,
    take: (part: DecodedArray, at: number) => void,
  ): Promise<void> {
    await parquetRead({
      file: this.#file,
      metadata: this.#metadata,
      columns: [column],
      rowStart: from,
      rowEnd: to,
      utf8: false,
      useOffsetIndex: true,
      onPage: ({ columnData, rowStart }) => {
        const start = Math.max(from, rowStart);
        const end = Math.min(to, rowStart + columnData.length);
        if (start >= end) return;
        const whole = start === rowStart && end === rowStart + columnData.length;
        take(whole ? columnData : columnData.slice(start - rowStart, end - rowStart), start - from);
      },
    });
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}

function damaged(path: string, error: unknown): FormatError {
  if (error instanceof FormatError) return error;
  return new FormatError("store", `${path} is damaged: add the runs to a new store`, {
    cause: error,
  });
}
