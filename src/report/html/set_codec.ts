/** Digits of the texts that {@linkcode encodeSet} writes: none needs escaping in a script. */
const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/**
 * Ascending numbers as short text, for `decodeSet` of `browser/set_codec.js`.
 *
 * Either runs: for each run of consecutive numbers its distance from the end of the run before, times two, plus one
 * where the run is longer than one number, and then its length minus two; as digits of five bits, the lowest first,
 * with 32 added to every digit but the last. Or, where that is shorter, a bitmap: a full stop, then six bits a digit.
 */
export function encodeSet(ids: ArrayLike<number>): string {
  const count = ids.length;
  if (count === 0) return "";
  const bitmapLength = 2 + Math.floor(ids[count - 1] / 6);
  let text = "";
  let next = 0;
  for (let i = 0; i < count;) {
    const first = ids[i];
    let last = first;
    while (++i < count && ids[i] === last + 1) last++;
    const distance = (first - next) * 2;
    if (last === first) text += encodeNumber(distance);
    else text += encodeNumber(distance + 1) + encodeNumber(last - first - 1);
    if (text.length >= bitmapLength) return encodeBitmap(ids, bitmapLength);
    next = last + 1;
  }
  return text;
}

function encodeNumber(value: number): string {
  let text = "";
  while (value >= 32) {
    text += DIGITS[32 + value % 32];
    value = Math.floor(value / 32);
  }
  return text + DIGITS[value];
}

function encodeBitmap(ids: ArrayLike<number>, length: number): string {
  const bits = new Uint8Array(length - 1);
  for (let i = 0; i < ids.length; i++) bits[Math.floor(ids[i] / 6)] |= 1 << (ids[i] % 6);
  let text = ".";
  for (const digit of bits) text += DIGITS[digit];
  return text;
}
