import { FormatError } from "../../errors.ts";
import { stretchOf } from "../../kcov/first_runs.ts";
import { appendVarint, MAX_VARINT_BYTES, VarintReader } from "./varints.ts";

// A record's PCs are ascending and close together, so their differences take one or two bytes each.

/** Where numbers are encoded: kept, since a record for each test would be garbage for each test. */
let scratch = new Uint8Array(16_384);

/** Room for `count` numbers. */
function room(count: number): Uint8Array<ArrayBuffer> {
  if (scratch.length < count * MAX_VARINT_BYTES) scratch = new Uint8Array(count * MAX_VARINT_BYTES);
  return scratch;
}

/** Ascending integers as bytes: the first as zigzag, then the differences. */
export function encodeAscending(values: Float64Array): Uint8Array<ArrayBuffer> {
  const bytes = room(values.length);
  let end = 0;
  let previous = 0;
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    if (index > 0) end = appendVarint(bytes, end, value - previous);
    else end = appendVarint(bytes, end, value < 0 ? -2 * value - 1 : 2 * value);
    previous = value;
  }
  return bytes.slice(0, end);
}

/**
 * What {@linkcode encodeAscending} encoded.
 *
 * @throws {FormatError} Where the bytes are not `count` numbers that ascend.
 */
export function decodeAscending(bytes: Uint8Array, count: number): Float64Array<ArrayBuffer> {
  checkCount(bytes, count);
  const reader = new VarintReader(bytes);
  const values = new Float64Array(count);
  for (let index = 0; index < count;) {
    const number = reader.next();
    if (index === 0) values[0] = number % 2 === 0 ? number / 2 : -(number + 1) / 2;
    else if (number > 0) values[index] = values[index - 1] + number;
    else throw new FormatError("record", `entry ${index} does not ascend`);
    index = reader.addShort(values, index + 1);
  }
  reader.end(`${count} numbers`);
  return values;
}

/** Counts as bytes. */
export function encodeCounts(values: Uint32Array): Uint8Array<ArrayBuffer> {
  const bytes = room(values.length);
  let end = 0;
  for (const value of values) end = appendVarint(bytes, end, value);
  return bytes.slice(0, end);
}

/**
 * What {@linkcode encodeCounts} encoded.
 *
 * @throws {FormatError} Where the bytes are not `count` 32-bit numbers.
 */
export function decodeCounts(bytes: Uint8Array, count: number): Uint32Array<ArrayBuffer> {
  checkCount(bytes, count);
  const reader = new VarintReader(bytes);
  const values = new Uint32Array(count);
  for (let index = 0; index < count; index++) {
    const value = reader.next();
    if (value > 0xffff_ffff) throw new FormatError("record", `count ${index} is above 2^32`);
    values[index] = value;
  }
  reader.end(`${count} numbers`);
  return values;
}

/** Each number takes a byte at least, so a damaged count asks for no memory. */
function checkCount(bytes: Uint8Array, count: number): void {
  if (Number.isInteger(count) && count >= 0 && count <= bytes.length) return;
  throw new FormatError("record", `${bytes.length} bytes cannot hold ${count} numbers`);
}

/**
 * The order of first runs as bytes. Both ends know the stretches of the record's PCs: what is written is where each is
 * among these, as the zigzag distance from the one before, which is mostly short. Stretches without a PC are left out.
 *
 * @param firstRuns As a record has them.
 * @param pcs Of the record, ascending.
 */
export function encodeFirstRuns(
  firstRuns: Float64Array,
  pcs: Float64Array,
): Uint8Array<ArrayBuffer> {
  const places = new Map<number, number>();
  for (const stretch of stretchesIn(pcs)) places.set(stretch, places.size);
  const bytes = room(firstRuns.length);
  let end = 0, previous = 0;
  for (const stretch of firstRuns) {
    const place = places.get(stretch);
    if (place === undefined) continue;
    const distance = place - previous;
    previous = place;
    end = appendVarint(bytes, end, distance < 0 ? -2 * distance - 1 : 2 * distance);
  }
  return bytes.slice(0, end);
}

/**
 * What {@linkcode encodeFirstRuns} encoded.
 *
 * @throws {FormatError} Where the bytes are no order of the stretches of `pcs`.
 */
export function decodeFirstRuns(bytes: Uint8Array, pcs: Float64Array): Float64Array<ArrayBuffer> {
  const stretches = stretchesIn(pcs);
  const isThere = new Uint8Array(stretches.length);
  const firstRuns = new Float64Array(stretches.length);
  const reader = new VarintReader(bytes);
  let count = 0, place = 0;
  while (!reader.done) {
    const number = reader.next();
    place += number % 2 === 0 ? number / 2 : -(number + 1) / 2;
    if (isThere[place] !== 0) {
      throw new FormatError("record", `first run ${count} is of no stretch, or of one before`);
    }
    isThere[place] = 1;
    firstRuns[count++] = stretches[place];
  }
  return firstRuns.slice(0, count);
}

/** The stretches of ascending PCs, each once. */
function stretchesIn(pcs: Float64Array): Float64Array<ArrayBuffer> {
  const stretches = new Float64Array(pcs.length);
  let count = 0, last = NaN;
  for (let i = 0; i < pcs.length; i++) {
    const stretch = stretchOf(pcs[i]);
    if (stretch !== last) stretches[count++] = last = stretch;
  }
  return stretches.slice(0, count);
}
