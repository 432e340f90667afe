const PRIME_1 = 0x9e37_79b1;
const PRIME_2 = 0x85eb_ca77;
const PRIME_3 = 0xc2b2_ae3d;
const PRIME_4 = 0x27d4_eb2f;
const PRIME_5 = 0x1656_67b1;

/**
 * xxHash32 with seed 0 (xxHash fast digest algorithm, section "XXH32"): a checksum that plain code computes at memory
 * speed, since it takes four bytes a step in four independent lanes.
 *
 * @param bytes fastest where they begin at a multiple of 4 bytes in their buffer
 */
export function xxh32(bytes: Uint8Array): number {
  const { length } = bytes;
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const words = new Int32Array(aligned.buffer, aligned.byteOffset, length >>> 2);
  const stripes = words.length & ~3;
  let hash = PRIME_5 | 0;
  if (stripes > 0) {
    let a = PRIME_1 + PRIME_2 | 0, b = PRIME_2 | 0, c = 0, d = -PRIME_1 | 0;
    for (let at = 0; at < stripes; at += 4) {
      a = a + Math.imul(words[at], PRIME_2) | 0;
      a = Math.imul(a << 13 | a >>> 19, PRIME_1);
      b = b + Math.imul(words[at + 1], PRIME_2) | 0;
      b = Math.imul(b << 13 | b >>> 19, PRIME_1);
      c = c + Math.imul(words[at + 2], PRIME_2) | 0;
      c = Math.imul(c << 13 | c >>> 19, PRIME_1);
      d = d + Math.imul(words[at + 3], PRIME_2) | 0;
      d = Math.imul(d << 13 | d >>> 19, PRIME_1);
    }
    hash = (a << 1 | a >>> 31) + (b << 7 | b >>> 25) + (c << 12 | c >>> 20) + (d << 18 | d >>> 14);
  }
  hash = hash + length | 0;
  for (let at = stripes; at < words.length; at++) {
    hash = hash + Math.imul(words[at], PRIME_3) | 0;
    hash = Math.imul(hash << 17 | hash >>> 15, PRIME_4);
  }
  for (let at = words.length * 4; at < length; at++) {
    hash = hash + Math.imul(aligned[at], PRIME_5) | 0;
    hash = Math.imul(hash << 11 | hash >>> 21, PRIME_1);
  }
  hash = Math.imul(hash ^ hash >>> 15, PRIME_2);
  hash = Math.imul(hash ^ hash >>> 13, PRIME_3);
  return (hash ^ hash >>> 16) >>> 0;
}
