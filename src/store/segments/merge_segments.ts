import type { OriginDictionary } from "../origin_dictionary.ts";
import { BLOCK_ROWS, type HitBlock, newBlock, partOf } from "./hit_block.ts";
import type { PointIndex } from "./point_index.ts";
import type { SegmentRecord } from "./record_table.ts";
import type { SegmentReader } from "./segment.ts";
import type { RecordList, StoredRecords } from "./stored_records.ts";

/** Rows of one segment that are read at once: all segments' lie in memory together. */
const READ_ROWS = 1 << 16;

/** Segments as one. */
export interface MergedSegments {
  readonly records: MergedRecords;
  readonly blocks: AsyncIterable<HitBlock>;
}

/**
 * Merges segments: their records one segment behind the other, and their hits in order. It reads them once, a part at a
 * time.
 *
 * @param keep of which shards records stay
 * @param progress is told of the rows that were read
 */
export async function mergeSegments(
  readers: readonly SegmentReader[],
  dictionary: OriginDictionary,
  keep: (shard: string) => boolean,
  progress: (rows: number) => void = () => {},
): Promise<MergedSegments> {
  const parts: RecordsPart[] = [];
  const cursors: Cursor[] = [];
  let end = 0;
  for (const reader of readers) {
    const { shard, shardIds, kinds, length } = await reader.records();
    const sets = Int32Array.from(await reader.sets(), (set) => dictionary.add(set));
    const kept = shardIds.map(keep);
    const stay = Uint32Array.from(shard.keys()).filter((at) => kept[shard[at]]);
    const number = new Int32Array(length).fill(-1);
    stay.forEach((at, place) => number[at] = end + place);
    parts.push({ first: end, reader, stay, sets, kinds, shard, shardIds });
    end += stay.length;
    cursors.push(new Cursor(reader, await reader.index(["point", "rows"]), number, sets));
  }
  return { records: new MergedRecords(parts, end), blocks: mergedBlocks(cursors, progress) };
}

/** The records of a segment that stay, and the new numbers of its sets of origins. */
interface RecordsPart extends Pick<StoredRecords, "kinds" | "shard" | "shardIds"> {
  readonly first: number;
  readonly reader: SegmentReader;
  readonly stay: Uint32Array;
  readonly sets: Int32Array;
}

/** Records of several segments, one segment behind the other: those of few segments lie in memory at once. */
export class MergedRecords implements RecordList {
  readonly length: number;
  readonly #parts: readonly RecordsPart[];
  #loaded = new Map<RecordsPart, StoredRecords>();

  constructor(parts: readonly RecordsPart[], length: number) {
    this.#parts = parts.filter(({ stay }) => stay.length > 0);
    this.length = length;
  }

  /** By record, of {@linkcode RECORD_KINDS}. */
  kinds(): Uint8Array {
    const all = new Uint8Array(this.length);
    for (const { first, kinds, stay } of this.#parts) {
      stay.forEach((at, place) => all[first + place] = kinds[at]);
    }
    return all;
  }

  /** By shard, how many records it has. */
  counts(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { shard, shardIds, stay } of this.#parts) {
      for (const at of stay) {
        const id = shardIds[shard[at]];
        counts.set(id, (counts.get(id) ?? 0) + 1);
      }
    }
    return counts;
  }

  async prepare(from: number, to: number): Promise<void> {
    const loaded = new Map<RecordsPart, StoredRecords>();
    for (const part of this.#parts) {
      if (part.first >= to || part.first + part.stay.length <= from) continue;
      loaded.set(part, this.#loaded.get(part) ?? await part.reader.records());
    }
    this.#loaded = loaded;
  }

  at(number: number): SegmentRecord {
    const part = this.#parts.findLast(({ first }) => first <= number)!;
    const { first, stay, sets } = part;
    const record = this.#loaded.get(part)!.at(stay[number - first]);
    if (record.unresolved.length === 0) return record;
    const unresolved = record.unresolved.map((part) => ({ ...part, origins: sets[part.origins] }));
    return { ...record, unresolved };
  }
}

/** A segment that is read from its first row to its last. */
class Cursor {
  readonly #reader: SegmentReader;
  readonly #index: Pick<PointIndex, "point" | "rows">;
  readonly #number: Int32Array;
  readonly #sets: Int32Array;
  #entry = 0;
  /** What is read of the rows, and which of them comes next. */
  #rows: Omit<HitBlock, "points"> = newBlock(0);
  #at = 0;
  #read = 0;

  constructor(
    reader: SegmentReader,
    index: Pick<PointIndex, "point" | "rows">,
    number: Int32Array,
    sets: Int32Array,
  ) {
    this.#reader = reader;
    this.#index = index;
    this.#number = number;
    this.#sets = sets;
  }

  /** The point that comes next; `Infinity` where none does. */
  get point(): number {
    return this.#index.point[this.#entry] ?? Infinity;
  }

  /** Rows of that point. */
  get left(): number {
    return this.#index.rows[this.#entry];
  }

  /** Reads more where nothing is left. */
  async fill(): Promise<void> {
    if (this.#at < this.#rows.tests.length) return;
    const to = Math.min(this.#read + READ_ROWS, this.#reader.segment.rows);
    this.#rows = await this.#reader.rows(this.#read, to);
    this.#read = to;
    this.#at = 0;
  }

  /** Rows that are read. */
  get ready(): number {
    return this.#rows.tests.length - this.#at;
  }

  /** Copies `count` rows, those of records that stay, and returns where the next row goes. */
  copy(into: HitBlock, start: number, count: number): number {
    const { tests, origins, counts } = this.#rows;
    const point = this.point, number = this.#number, sets = this.#sets;
    let to = start;
    for (let at = this.#at, end = at + count; at < end; at++) {
      const test = number[tests[at]];
      if (test < 0) continue;
      into.points[to] = point;
      into.tests[to] = test;
      into.origins[to] = sets[origins[at]];
      into.counts[to++] = counts[at];
    }
    this.#at += count;
    return to;
  }

  next(): void {
    this.#entry++;
  }
}

async function* mergedBlocks(
  cursors: readonly Cursor[],
  progress: (rows: number) => void,
): AsyncGenerator<HitBlock> {
  // What takes a block has done with it when it asks for the next.
  const block = newBlock(BLOCK_ROWS);
  let end = 0;
  for (;;) {
    let point = Infinity;
    for (const cursor of cursors) if (cursor.point < point) point = cursor.point;
    if (point === Infinity) break;
    for (const cursor of cursors) {
      if (cursor.point !== point) continue;
      for (let left = cursor.left; left > 0;) {
        if (cursor.ready === 0) await cursor.fill();
        const count = Math.min(left, cursor.ready, BLOCK_ROWS - end);
        end = cursor.copy(block, end, count);
        left -= count;
        progress(count);
        if (end === BLOCK_ROWS) {
          yield block;
          end = 0;
        }
      }
      cursor.next();
    }
  }
  if (end > 0) yield partOf(block, 0, end);
}
