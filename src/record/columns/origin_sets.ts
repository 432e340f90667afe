import { FormatError } from "../../errors.ts";
import type { OriginPoints } from "../../kcov/origin.ts";
import { appendVarint, MAX_VARINT_BYTES, VarintReader } from "./varints.ts";

// Neighbouring PCs mostly ran from the same origins, and few sets of origins are used over and over. So what is written
// is: the origins, then runs of neighbouring PCs with one set. A run is one number, 8 times where its set stands in the
// list of sets used until now, the last used first, plus its length (0, and the length less 8 behind it, from 8 on).
// The place behind the list is a new set: by which origins it differs from one of the first four there (or from the
// empty set, where there is none), as 4 times their number plus that one's place, and the distances between them.

/** Runs below this length have it in their first number. */
const SHORT_RUN = 8;
/** A new set differs from one of so many that were used last. */
const BASES = 4;
/** More points of origins than any device has words: a damaged number must not ask for all memory. */
const MOST_POINTS = 2 ** 26;
/** Bits of `how`, which go below the call's when an origin is written: system calls then take two bytes. */
const HOW_BITS = 4;
const CALL_BITS = 12;

/** Indexes of origins, ascending. */
type OriginSet = readonly number[];

/**
 * What made the kernel run the PCs of a record, as bytes.
 *
 * @param count Number of PCs.
 * @throws {RangeError} Where an origin or its points are not in order, or a PC has no origin.
 */
export function encodeOrigins(
  origins: readonly OriginPoints[],
  count: number,
): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter();
  const used = origins.filter(({ points }) => points.length > 0);
  const sets = new PointSets(used, count);
  writer.add(used.length);
  for (const { origin } of used) writer.add(callFirst(origin));
  const recent: number[] = [];
  for (let from = 0, to: number; from < count; from = to) {
    const set = sets.at(from);
    for (to = from + 1; to < count && sets.at(to) === set;) to++;
    const length = to - from;
    const place = recent.indexOf(set);
    writer.add((place < 0 ? recent.length : place) * SHORT_RUN + (length < SHORT_RUN ? length : 0));
    if (length >= SHORT_RUN) writer.add(length - SHORT_RUN);
    if (place < 0) {
      addSet(writer, sets.members(set), recent.slice(0, BASES).map((near) => sets.members(near)));
    }
    toFront(recent, set, place);
  }
  return writer.bytes();
}

/** Writes a new set by what it differs least from. */
function addSet(writer: ByteWriter, set: OriginSet, near: readonly OriginSet[]): void {
  let base = 0;
  let least: OriginSet = near.length === 0 ? set : difference(set, near[0]);
  for (let other = 1; other < near.length; other++) {
    const found = difference(set, near[other]);
    if (found.length < least.length) [base, least] = [other, found];
  }
  writer.add(least.length * BASES + base);
  for (let at = 0; at < least.length; at++) writer.add(least[at] - (at === 0 ? 0 : least[at - 1]));
}

/**
 * What {@linkcode encodeOrigins} encoded.
 *
 * @param count Number of PCs.
 * @throws {FormatError} Where the bytes are not the origins of `count` PCs.
 */
export function decodeOrigins(bytes: Uint8Array, count: number): OriginPoints[] {
  const reader = new VarintReader(bytes);
  const origins = readOrigins(reader, bytes.length);
  const sets: OriginSet[] = [];
  const recent: number[] = [];
  /** In pairs, a set and the length of a run of it. */
  const runs: number[] = [];
  const sizes = new Uint32Array(origins.length);
  let points = 0;
  for (let from = 0; from < count;) {
    const token = reader.next();
    const place = Math.floor(token / SHORT_RUN);
    const length = token % SHORT_RUN || reader.next() + SHORT_RUN;
    if (length > count - from) throw new FormatError("record", "a run of origins is too long");
    if (place > recent.length) throw new FormatError("record", "a set of origins is unknown");
    let set = recent[place];
    if (place === recent.length) {
      set = sets.length;
      sets.push(readSet(reader, recent.slice(0, BASES).map((near) => sets[near]), origins.length));
    }
    toFront(recent, set, place === recent.length ? -1 : place);
    const members = sets[set];
    points += members.length * length;
    if (points > MOST_POINTS) throw new FormatError("record", "its origins have too many points");
    for (let at = 0; at < members.length; at++) sizes[members[at]] += length;
    runs.push(set, length);
    from += length;
  }
  reader.end(`the origins of ${count} points`);
  const columns = Array.from(sizes, (size) => new Uint32Array(size));
  if (sizes.includes(0)) throw new FormatError("record", "an origin has no points");
  const next = new Uint32Array(origins.length);
  for (let at = 0, from = 0; at < runs.length; at += 2) {
    const end = from + runs[at + 1];
    for (const member of sets[runs[at]]) {
      const column = columns[member];
      let to = next[member];
      for (let point = from; point < end; point++) column[to++] = point;
      next[member] = to;
    }
    from = end;
  }
  return origins.map((origin, at) => ({ origin, points: columns[at] }));
}

function readOrigins(reader: VarintReader, bytes: number): number[] {
  const length = reader.next();
  if (length > bytes) {
    throw new FormatError("record", `${bytes} bytes cannot hold ${length} origins`);
  }
  const origins = new Set<number>();
  for (let at = 0; at < length; at++) {
    const value = reader.next();
    if (value > 0xffff) throw new FormatError("record", "an origin is above 16 bits");
    origins.add(value >>> HOW_BITS | (value & (1 << HOW_BITS) - 1) << CALL_BITS);
  }
  if (origins.size < length) throw new FormatError("record", "an origin is there twice");
  return [...origins];
}

function readSet(reader: VarintReader, near: readonly OriginSet[], origins: number): OriginSet {
  const token = reader.next();
  const length = Math.floor(token / BASES);
  const base: OriginSet | undefined = near.length === 0 && token % BASES === 0
    ? []
    : near[token % BASES];
  if (base === undefined || length === 0 || length > origins) {
    throw new FormatError("record", "a set of origins is damaged");
  }
  const differing: number[] = [];
  let last = -1;
  for (let at = 0; at < length; at++) {
    const origin = at === 0 ? reader.next() : last + reader.next();
    if (origin <= last || origin >= origins) {
      throw new FormatError("record", "a set of origins is damaged");
    }
    differing.push(last = origin);
  }
  const set = difference(base, differing);
  if (set.length === 0) throw new FormatError("record", "points have no origin");
  return set;
}

/** What is in one of two sets only. */
function difference(a: OriginSet, b: OriginSet): OriginSet {
  const found: number[] = [];
  let i = 0, j = 0;
  while (i < a.length || j < b.length) {
    if (j === b.length || a[i] < b[j]) found.push(a[i++]);
    else if (i === a.length || b[j] < a[i]) found.push(b[j++]);
    else i++, j++;
  }
  return found;
}

/** Moves what stands at `place` to the front; -1: it is new. */
function toFront(recent: number[], set: number, place: number): void {
  let at = place < 0 ? recent.length : place;
  for (; at > 0; at--) recent[at] = recent[at - 1];
  recent[0] = set;
}

function callFirst(origin: number): number {
  return (origin & (1 << CALL_BITS) - 1) << HOW_BITS | origin >>> CALL_BITS;
}

/**
 * By point the set of its origins, as a node of a tree: a child has the origins of its parent and one more. Node 0 has
 * none.
 */
class PointSets {
  readonly #nodes: Uint32Array;
  readonly #parent: number[] = [0];
  /** The origin that a node has and its parent has not. */
  readonly #added: number[] = [-1];
  readonly #members = new Map<number, OriginSet>();

  constructor(origins: readonly OriginPoints[], count: number) {
    this.#nodes = new Uint32Array(count);
    const known = new Set<number>();
    origins.forEach(({ origin, points }, index) => {
      if (!(origin >= 0 && origin <= 0xffff) || known.has(origin)) {
        throw new RangeError(`Origin ${origin} is not of 16 bits, or there twice`);
      }
      known.add(origin);
      this.#add(index, points);
    });
    if (this.#nodes.includes(0)) throw new RangeError("A PC has no origin");
  }

  #add(origin: number, points: Uint32Array): void {
    const nodes = this.#nodes;
    /** By node, its child with this origin. */
    const child: number[] = [];
    let last = -1;
    for (let at = 0; at < points.length; at++) {
      const point = points[at];
      if (point <= last || point >= nodes.length) {
        throw new RangeError(`Point ${point} of an origin is not in order`);
      }
      last = point;
      const node = nodes[point];
      let moved = child[node];
      if (moved === undefined) {
        moved = this.#parent.push(node) - 1;
        this.#added.push(origin);
        child[node] = moved;
      }
      nodes[point] = moved;
    }
  }

  /** The node of a point. */
  at(point: number): number {
    return this.#nodes[point];
  }

  /** The origins of a node. */
  members(node: number): OriginSet {
    let members = this.#members.get(node);
    if (members === undefined) {
      const found: number[] = [];
      for (let at = node; at > 0; at = this.#parent[at]) found.push(this.#added[at]);
      this.#members.set(node, members = found.reverse());
    }
    return members;
  }
}

/** Numbers one behind the other, in bytes that grow. */
class ByteWriter {
  #bytes = new Uint8Array(256);
  #end = 0;

  add(value: number): void {
    if (this.#end + MAX_VARINT_BYTES > this.#bytes.length) {
      const larger = new Uint8Array(this.#bytes.length * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#end = appendVarint(this.#bytes, this.#end, value);
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#end);
  }
}
