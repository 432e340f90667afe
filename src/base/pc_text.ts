import { FormatError } from "../errors.ts";
import { type Address, addressFromHalves, isExactAddress } from "./address.ts";
import { grown } from "./grow.ts";

/** Value of each byte as a hexadecimal digit; -1 for others. */
const DIGITS = new Int8Array(256).fill(-1);
for (let digit = 0; digit < 16; digit++) {
  const text = digit.toString(16);
  DIGITS[text.charCodeAt(0)] = digit;
  DIGITS[text.toUpperCase().charCodeAt(0)] = digit;
}

/**
 * Reads PCs as text: one hexadecimal number a line, with or without `0x`; empty lines are passed over. From bytes, since
 * there may be a million of them.
 *
 * @throws {FormatError} where a line is no such number; its number is in the message
 */
export function parsePcText(bytes: Uint8Array): Float64Array<ArrayBuffer> & ArrayLike<Address> {
  // Room for kernel addresses; numbers of few digits may need more.
  let pcs = new Float64Array((bytes.length >>> 3) + 1);
  const end = bytes.length;
  let count = 0, line = 1;
  for (let at = 0; at < end; line++) {
    const start = at;
    if (count === pcs.length) pcs = grown(pcs, count + 1);
    // Addresses as programs write them: 0x and 16 digits, or 8. The others, and invalid input, below.
    if (at + 10 < end && bytes[at] === 0x30 && bytes[at + 1] === 0x78) {
      const high = eightDigits(bytes, at + 2);
      if (high !== NO_DIGITS && bytes[at + 10] === 0x0a) {
        pcs[count++] = high;
        at += 11;
        continue;
      }
      const low = at + 18 < end && bytes[at + 18] === 0x0a
        ? eightDigits(bytes, at + 10)
        : NO_DIGITS;
      const pc = addressFromHalves(low, high);
      if (high !== NO_DIGITS && low !== NO_DIGITS && isExactAddress(pc)) {
        pcs[count++] = pc;
        at += 19;
        continue;
      }
    }
    while (at < end && isSpace(bytes[at])) at++;
    if (at + 1 < end && bytes[at] === 0x30 && (bytes[at + 1] | 0x20) === 0x78) at += 2;
    // The first eight digits, and those behind them.
    let first = 0, second = 0, digits = 0;
    for (; at < end; at++) {
      const digit = DIGITS[bytes[at]];
      if (digit < 0) break;
      if (digits++ < 8) first = first << 4 | digit;
      else second = second << 4 | digit;
    }
    while (at < end && isSpace(bytes[at])) at++;
    const isWhole = digits === 0 ? isBlank(bytes, start, at) : digits <= 16;
    if (!isWhole || at < end && bytes[at] !== 0x0a) {
      throw notAPc(bytes, start, line);
    }
    at++;
    if (digits === 0) continue;
    const shift = 4 * (digits - 8);
    const pc = shift <= 0
      ? addressFromHalves(first, 0)
      : shift === 32
      ? addressFromHalves(second, first)
      : addressFromHalves(first << shift | second, first >>> (32 - shift));
    if (!isExactAddress(pc)) throw notAPc(bytes, start, line);
    pcs[count++] = pc;
  }
  return pcs.subarray(0, count);
}

const NO_DIGITS = -1;

/** The number of which eight hexadecimal digits begin at index `at`; -1 where they do not. */
function eightDigits(bytes: Uint8Array, at: number): number {
  const a = DIGITS[bytes[at]], b = DIGITS[bytes[at + 1]], c = DIGITS[bytes[at + 2]];
  const d = DIGITS[bytes[at + 3]], e = DIGITS[bytes[at + 4]], f = DIGITS[bytes[at + 5]];
  const g = DIGITS[bytes[at + 6]], h = DIGITS[bytes[at + 7]];
  // One that is negative makes all of it so.
  if ((a | b | c | d | e | f | g | h) < 0) return NO_DIGITS;
  return (a << 28 | b << 24 | c << 20 | d << 16 | e << 12 | f << 8 | g << 4 | h) >>> 0;
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0d;
}

function isBlank(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (!isSpace(bytes[at])) return false;
  return true;
}

function notAPc(bytes: Uint8Array, start: number, line: number): FormatError {
  const end = bytes.indexOf(0x0a, start);
  const text = new TextDecoder().decode(bytes.subarray(start, end < 0 ? bytes.length : end));
  const shown = JSON.stringify(text.slice(0, 40));
  return new FormatError(
    "PCs",
    `line ${line}, ${shown}, is not a hexadecimal number of at most 64 bits at which a kernel has code: write one PC a line`,
  );
}
