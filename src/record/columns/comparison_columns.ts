import { FormatError } from "../../errors.ts";
import type { Comparisons } from "../../kcov/comparisons/comparisons.ts";
import { appendVarint, MAX_VARINT_BYTES, VarintReader } from "./varints.ts";

// One stream of numbers: how many comparisons there are, then of each the distance of its PC, its type, what is not kept of
// it, its number of pairs, and of each pair the halves of the operands, the times and the origin. Most take a byte.

const HALF = 2 ** 32;
/** Numbers of a comparison, or of a pair, at most. */
const MOST_NUMBERS = 6;

/** Comparisons as bytes. */
export function encodeComparisons(comparisons: Comparisons): Uint8Array<ArrayBuffer> {
  const { pcs, types, more, pairEnd, first, second, times, origins } = comparisons;
  const entries = pcs.length + times.length + 1;
  const bytes = new Uint8Array(entries * MOST_NUMBERS * MAX_VARINT_BYTES);
  const firstHalves = halvesOf(first), secondHalves = halvesOf(second);
  let end = appendVarint(bytes, 0, pcs.length);
  let previous = 0, pair = 0;
  for (let at = 0; at < pcs.length; at++) {
    const distance = pcs[at] - previous;
    previous = pcs[at];
    end = appendVarint(bytes, end, distance < 0 ? -2 * distance - 1 : 2 * distance);
    end = appendVarint(bytes, end, types[at]);
    end = appendVarint(bytes, end, more[at]);
    end = appendVarint(bytes, end, pairEnd[at] - pair);
    for (; pair < pairEnd[at]; pair++) {
      for (const halves of [firstHalves, secondHalves]) {
        end = appendVarint(bytes, end, halves[2 * pair]);
        end = appendVarint(bytes, end, halves[2 * pair + 1]);
      }
      end = appendVarint(bytes, end, times[pair]);
      end = appendVarint(bytes, end, origins[pair]);
    }
  }
  return bytes.slice(0, end);
}

function halvesOf(operands: BigUint64Array): Uint32Array {
  return new Uint32Array(operands.buffer, operands.byteOffset, operands.length * 2);
}

/**
 * What {@linkcode encodeComparisons} encoded.
 *
 * @param count How many pairs.
 * @param lost As the record says.
 * @throws {FormatError} Where the bytes are no comparisons with `count` pairs.
 */
export function decodeComparisons(bytes: Uint8Array, count: number, lost: number): Comparisons {
  const reader = new VarintReader(bytes);
  const length = reader.next();
  // Each number takes a byte at least, so a damaged count asks for no memory.
  if (!(count >= 0 && Number.isInteger(count) && count + length <= bytes.length)) {
    throw new FormatError("record", `${bytes.length} bytes cannot hold ${count} pairs`);
  }
  const pcs = new Float64Array(length), types = new Uint8Array(length);
  const more = new Uint32Array(length), pairEnd = new Uint32Array(length);
  const first = new BigUint64Array(count), second = new BigUint64Array(count);
  const times = new Uint32Array(count), origins = new Uint16Array(count);
  const firstHalves = halvesOf(first), secondHalves = halvesOf(second);
  let pc = 0, pair = 0;
  for (let at = 0; at < length; at++) {
    const distance = reader.next();
    pc += distance % 2 === 0 ? distance / 2 : -(distance + 1) / 2;
    pcs[at] = pc;
    types[at] = below(reader.next(), 8, "type");
    more[at] = below(reader.next(), HALF, "count");
    const end = pair + reader.next();
    if (end > count) throw new FormatError("record", `there are more than ${count} pairs`);
    for (; pair < end; pair++) {
      for (const halves of [firstHalves, secondHalves]) {
        halves[2 * pair] = below(reader.next(), HALF, "operand");
        halves[2 * pair + 1] = below(reader.next(), HALF, "operand");
      }
      times[pair] = below(reader.next(), HALF, "count");
      origins[pair] = below(reader.next(), 1 << 16, "origin");
    }
    pairEnd[at] = pair;
  }
  reader.end(`${count} pairs`);
  if (pair !== count) throw new FormatError("record", `there are fewer than ${count} pairs`);
  return { pcs, types, more, pairEnd, first, second, times, origins, lost };
}

function below(value: number, limit: number, name: string): number {
  if (value < limit) return value;
  throw new FormatError("record", `${value} is no ${name} of a comparison`);
}
