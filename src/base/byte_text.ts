// Node.js 24 has none of the methods that Deno and Bun have for this. Each is looked up at its call: those who call it
// have seen to it that a test's changes of built-ins do not reach it.

/**
 * Bytes as base64.
 */
export function toBase64(bytes: Uint8Array): string {
  if (bytes.toBase64 !== undefined) return bytes.toBase64();
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

/**
 * Bytes of base64.
 *
 * @throws {Error} The text is none: the runtime's own error.
 */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  if (Uint8Array.fromBase64 !== undefined) return Uint8Array.fromBase64(text);
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** Bytes as lower-case hexadecimal digits. */
export function toHex(bytes: Uint8Array): string {
  if (bytes.toHex !== undefined) return bytes.toHex();
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
