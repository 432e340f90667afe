const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xedb8_8320 : 0);
  return value;
});

/**
 * CRC-32 of IEEE 802.3, as gzip has it. For files of the size of a few records: `node:zlib` has a faster one, but
 * loading that module costs a process more than all else that writes records.
 */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (let at = 0; at < bytes.length; at++) crc = (crc >>> 8) ^ TABLE[(crc ^ bytes[at]) & 0xff];
  return ~crc >>> 0;
}
