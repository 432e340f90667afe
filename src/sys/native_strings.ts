import type { Libc } from "./types.ts";

const encoder = new TextEncoder();

/**
 * `text` as a NUL-ended C string.
 *
 * @throws {TypeError} Where `text` holds a NUL, which would cut it short.
 */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  if (text.includes("\0")) {
    throw new TypeError(`Cannot pass ${JSON.stringify(text)} to C: remove the NUL character`);
  }
  return encoder.encode(`${text}\0`);
}

/** A NULL-ended array of C strings, such as `argv`, and the strings its addresses point to. */
export interface CStringArray {
  /** The addresses. Keep the whole object reachable until the call returned. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly strings: readonly Uint8Array<ArrayBuffer>[];
}

/** `texts` as C's `char *const []`. */
export function cStringArray(libc: Libc, texts: readonly string[]): CStringArray {
  const strings = texts.map(cString);
  const addresses = new BigUint64Array(strings.length + 1);
  for (const [index, string] of strings.entries()) addresses[index] = libc.addressOf(string);
  return { bytes: new Uint8Array(addresses.buffer), strings };
}
