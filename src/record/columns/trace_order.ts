import { FormatError } from "../../errors.ts";
import { appendVarint, MAX_VARINT_BYTES, VarintReader } from "./varints.ts";

// What runs next is mostly near in the code, so the distances between the indexes of points take a byte, seldom two.

/** The points of an order as bytes: the zigzag distance of each from the one before. */
export function encodeOrder(points: Uint32Array): Uint8Array<ArrayBuffer> {
  let bytes = new Uint8Array(points.length * 2 + MAX_VARINT_BYTES);
  let end = 0, previous = 0;
  for (let index = 0; index < points.length; index++) {
    if (end + MAX_VARINT_BYTES > bytes.length) bytes = doubled(bytes);
    const distance = points[index] - previous;
    previous = points[index];
    end = appendVarint(bytes, end, distance < 0 ? -2 * distance - 1 : 2 * distance);
  }
  return bytes.slice(0, end);
}

function doubled(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(bytes.length * 2);
  larger.set(bytes);
  return larger;
}

/**
 * What {@linkcode encodeOrder} encoded.
 *
 * @param count How many points.
 * @param pcs How many PCs the record has.
 * @throws {FormatError} Where the bytes are not `count` indexes of PCs.
 */
export function decodeOrder(
  bytes: Uint8Array,
  count: number,
  pcs: number,
): Uint32Array<ArrayBuffer> {
  // Each takes a byte at least, so a damaged count asks for no memory.
  if (!Number.isInteger(count) || count < 0 || count > bytes.length) {
    throw new FormatError("record", `${bytes.length} bytes cannot hold ${count} points`);
  }
  const reader = new VarintReader(bytes);
  const points = new Uint32Array(count);
  for (let index = 0, place = 0; index < count; index++) {
    const number = reader.next();
    place += number % 2 === 0 ? number / 2 : -(number + 1) / 2;
    if (!(place >= 0 && place < pcs)) {
      throw new FormatError("record", `point ${index} of the order is no PC of the record`);
    }
    points[index] = place;
  }
  reader.end(`${count} points`);
  return points;
}
