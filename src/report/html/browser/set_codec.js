// @ts-check

const DIGIT_VALUE = new Uint8Array(128);
[..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"]
  .forEach((digit, value) => DIGIT_VALUE[digit.charCodeAt(0)] = value);

/**
 * The ascending numbers of a set; `set_codec.ts` describes the text.
 *
 * @param {string} text
 * @returns {number[]}
 */
export function decodeSet(text) {
  /** @type {number[]} */
  const ids = [];
  if (text.startsWith(".")) {
    for (let at = 1; at < text.length; at++) {
      const bits = DIGIT_VALUE[text.charCodeAt(at)];
      for (let bit = 0; bit < 6; bit++) if (bits >> bit & 1) ids.push((at - 1) * 6 + bit);
    }
    return ids;
  }
  let at = 0;
  function number() {
    let value = 0;
    let scale = 1;
    for (;;) {
      const digit = DIGIT_VALUE[text.charCodeAt(at++)];
      value += (digit & 31) * scale;
      if (digit < 32) return value;
      scale *= 32;
    }
  }
  let next = 0;
  while (at < text.length) {
    const head = number();
    next += Math.floor(head / 2);
    const length = head % 2 === 0 ? 1 : number() + 2;
    for (let i = 0; i < length; i++) ids.push(next++);
  }
  return ids;
}
