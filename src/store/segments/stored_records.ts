import type { TableReader } from "./parquet_files.ts";
import { RECORD_KINDS } from "./point_index.ts";
import { parseDetails, RECORD_COLUMNS, recordAt, type RecordDetails } from "./record_table.ts";
import type { SegmentRecord } from "./record_table.ts";

/** Records by their numbers: an array of them, or what makes each when it is asked for. */
export interface RecordList {
  readonly length: number;
  /** Reads what {@linkcode at} needs for records `from` up to, not including, `to`, and may forget the others. */
  prepare?(from: number, to: number): Promise<void>;
  at(number: number): SegmentRecord | undefined;
}

/** Details that are kept once they were parsed: many records have the same. */
const KEPT_DETAILS = 1000;

/**
 * The records of a segment as columns: of a fleet's, objects would take some kilobytes each. What all are looked through for
 * is read without making any.
 */
export class StoredRecords implements RecordList {
  readonly length: number;
  /** By record, of {@linkcode RECORD_KINDS}. */
  readonly kinds: Uint8Array;
  /** By record, 1 where its coverage is not whole: it is truncated, or did not pass. */
  readonly incomplete: Uint8Array;
  /** By record, its place in its shard, its pass there, its points that count by default, and all. */
  readonly place: Int32Array;
  readonly pass: Int32Array;
  readonly points: Int32Array;
  readonly allPoints: Int32Array;
  /** By record, whether it is known what made the kernel run its points. */
  readonly known: Uint8Array;
  /** By record, the number of its shard in `shardIds`. */
  readonly shard: Uint32Array;
  readonly shardIds: readonly string[];
  /** By record, the halves of what is the same for a test wherever it ran. */
  readonly idHigh: Uint32Array;
  readonly idLow: Uint32Array;
  readonly #columns: Readonly<Record<string, Column>>;
  readonly #details: TextColumn;
  readonly #parsed = new Map<number, RecordDetails>();

  private constructor(columns: Readonly<Record<string, Column>>, rows: number) {
    const number = (name: string): Int32Array => (columns[name] as NumberColumn).values;
    const text = (name: string): TextColumn => columns[name] as TextColumn;
    this.length = rows;
    this.#columns = columns;
    this.#details = text("details");
    const kind = text("kind");
    const kindOf = kind.values.map((name) =>
      name === "baseline" || name === "outside" ? RECORD_KINDS[name] : RECORD_KINDS.test
    );
    this.kinds = Uint8Array.from(kind.numbers, (name) => kindOf[name]);
    const outcome = text("outcome");
    const passed = outcome.values.indexOf("passed");
    const truncated = number("truncated");
    this.incomplete = Uint8Array.from(
      outcome.numbers,
      (name, row) => name !== passed || truncated[row] !== 0 ? 1 : 0,
    );
    this.place = number("place");
    this.pass = number("pass");
    this.points = number("points");
    this.allPoints = number("all_points");
    this.known = Uint8Array.from(number("origins_known"));
    this.shard = text("shard").numbers;
    this.shardIds = text("shard").values;
    ({ high: this.idHigh, low: this.idLow } = columns.id as IdColumn);
  }

  /** Reads the table of records of a segment. */
  static async read(table: TableReader): Promise<StoredRecords> {
    const columns = newColumns(table.rows);
    for (const { name } of RECORD_COLUMNS) {
      await table.parts(name, (part, at) => columns[name].put(part, at));
    }
    return new StoredRecords(columns, table.rows);
  }

  /** Makes them of columns by name. */
  static of(all: Readonly<Record<string, ArrayLike<unknown>>>, rows: number): StoredRecords {
    const columns = newColumns(rows);
    for (const { name } of RECORD_COLUMNS) columns[name].put(all[name], 0);
    return new StoredRecords(columns, rows);
  }

  at(number: number): SegmentRecord {
    return recordAt((name) => this.#columns[name].get(number), this.#detailsOf(number));
  }

  /** The runner of a record; empty where that is not known. */
  runnerOf(number: number): string {
    return this.#columns.runner.get(number) as string;
  }

  /** Whether PCs of a record name no point. */
  hasUnresolved(number: number): boolean {
    return this.#details.get(number).includes('"unresolved":');
  }

  /** Its origins in the order of first runs; absent where they are not known. */
  originOrder(number: number): readonly number[] | undefined {
    return this.#detailsOf(number).originOrder;
  }

  #detailsOf(number: number): RecordDetails {
    const text = this.#details.numbers[number];
    let details = this.#parsed.get(text);
    if (details === undefined) {
      if (this.#parsed.size >= KEPT_DETAILS) this.#parsed.clear();
      this.#parsed.set(text, details = parseDetails(this.#details.values[text]));
    }
    return details;
  }
}

/** A column that is filled part by part. */
interface Column {
  put(part: ArrayLike<unknown>, at: number): void;
  get(row: number): unknown;
}

/** What each record has another of. */
const DISTINCT: ReadonlySet<string> = new Set(["name"]);

function newColumns(rows: number): Record<string, Column> {
  return Object.fromEntries(RECORD_COLUMNS.map(({ name, kind }) => {
    if (name === "id") return [name, new IdColumn(rows)];
    if (DISTINCT.has(name)) return [name, new ListColumn(rows)];
    if (kind === "text") return [name, new TextColumn(rows)];
    if (kind === "bytes") return [name, new BytesColumn(rows)];
    return [name, kind === "real" ? new RealColumn(rows) : new NumberColumn(rows)];
  }));
}

/** Whole numbers and flags. */
class NumberColumn implements Column {
  readonly values: Int32Array;

  constructor(rows: number) {
    this.values = new Int32Array(rows);
  }

  put(part: ArrayLike<unknown>, at: number): void {
    for (let i = 0; i < part.length; i++) this.values[at + i] = Number(part[i]);
  }

  get(row: number): number {
    return this.values[row];
  }
}

class RealColumn implements Column {
  readonly #values: Float64Array;

  constructor(rows: number) {
    this.#values = new Float64Array(rows);
  }

  put(part: ArrayLike<unknown>, at: number): void {
    for (let i = 0; i < part.length; i++) this.#values[at + i] = Number(part[i]);
  }

  get(row: number): number {
    return this.#values[row];
  }
}

class ListColumn implements Column {
  readonly #values: string[];

  constructor(rows: number) {
    this.#values = Array(rows).fill("");
  }

  put(part: ArrayLike<unknown>, at: number): void {
    for (let i = 0; i < part.length; i++) this.#values[at + i] = part[i] as string;
  }

  get(row: number): string {
    return this.#values[row];
  }
}

/** Text that many rows share: each once. */
class TextColumn implements Column {
  readonly values: string[] = [];
  readonly numbers: Uint32Array;
  readonly #known = new Map<string, number>();

  constructor(rows: number) {
    this.numbers = new Uint32Array(rows);
  }

  put(part: ArrayLike<unknown>, at: number): void {
    for (let i = 0; i < part.length; i++) {
      const text = part[i] as string;
      let number = this.#known.get(text);
      if (number === undefined) this.#known.set(text, number = this.values.push(text) - 1);
      this.numbers[at + i] = number;
    }
  }

  get(row: number): string {
    return this.values[this.numbers[row]];
  }
}

/** 16 digits of base 16. */
class IdColumn implements Column {
  readonly high: Uint32Array;
  readonly low: Uint32Array;

  constructor(rows: number) {
    this.high = new Uint32Array(rows);
    this.low = new Uint32Array(rows);
  }

  put(part: ArrayLike<unknown>, at: number): void {
    for (let i = 0; i < part.length; i++) {
      const text = part[i] as string;
      this.high[at + i] = parseInt(text.slice(0, 8), 16);
      this.low[at + i] = parseInt(text.slice(8), 16);
    }
  }

  get(row: number): string {
    const half = (value: number): string => value.toString(16).padStart(8, "0");
    return half(this.high[row]) + half(this.low[row]);
  }
}

/** Bytes, those of all rows one behind the other. */
class BytesColumn implements Column {
  #bytes = new Uint8Array(1 << 16);
  /** By row, where it begins, and at last the end of all. */
  readonly #starts: Float64Array;

  constructor(rows: number) {
    this.#starts = new Float64Array(rows + 1);
  }

  put(part: ArrayLike<unknown>, at: number): void {
    for (let i = 0; i < part.length; i++) {
      const bytes = part[i] as Uint8Array;
      const start = this.#starts[at + i], end = start + bytes.length;
      if (end > this.#bytes.length) {
        const larger = new Uint8Array(Math.ceil(1.5 * end));
        larger.set(this.#bytes.subarray(0, start));
        this.#bytes = larger;
      }
      this.#bytes.set(bytes, start);
      this.#starts[at + i + 1] = end;
    }
  }

  get(row: number): Uint8Array {
    return this.#bytes.subarray(this.#starts[row], this.#starts[row + 1]);
  }
}
