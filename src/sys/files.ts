import { existsSync, readFileSync } from "node:fs";

/** Bytes of a small file such as those under `/proc`; `undefined` where it cannot be read. */
export function tryReadBytes(path: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(readFileSync(path));
  } catch {
    return undefined;
  }
}

/** Text of a small file; `undefined` where it cannot be read. */
export function tryReadText(path: string): string | undefined {
  const bytes = tryReadBytes(path);
  return bytes && new TextDecoder().decode(bytes);
}

/** Whether the path names something that this process may see. */
export function pathExists(path: string): boolean {
  return existsSync(path);
}
