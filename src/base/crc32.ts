/** What each byte adds, at the end of the bytes so far and up to three places before it: four bytes are one step. */
const FOUR = new Int32Array(4 * 256);
for (let byte = 0; byte < 256; byte++) {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xedb8_8320 : 0);
  FOUR[byte] = value;
}
for (let at = 256; at < FOUR.length; at++) {
  FOUR[at] = (FOUR[at - 256] >>> 8) ^ FOUR[FOUR[at - 256] & 0xff];
}

/**
 * CRC-32 of IEEE 802.3, as gzip has it. For files of the size of a few records: `node:zlib` has a faster one, but
 * loading that module costs a process more than all else that writes records.
 */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  const whole = bytes.length & ~3;
  let at = 0;
  for (; at < whole; at += 4) {
    crc ^= bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16 | bytes[at + 3] << 24;
    crc = FOUR[768 + (crc & 0xff)] ^ FOUR[512 + (crc >>> 8 & 0xff)] ^
      FOUR[256 + (crc >>> 16 & 0xff)] ^ FOUR[crc >>> 24];
  }
  for (; at < bytes.length; at++) crc = (crc >>> 8) ^ FOUR[(crc ^ bytes[at]) & 0xff];
  return ~crc >>> 0;
}
