import { nodeBuiltin } from "./node_builtins.ts";

/** The parts of `Deno` used here, declared so that no other runtime needs Deno's types. */
interface DenoFiles {
  readFileSync(path: string): Uint8Array<ArrayBuffer>;
  readDirSync(path: string): Iterable<{ readonly name: string }>;
  mkdirSync(path: string, options: { recursive: boolean }): void;
  removeSync(path: string): void;
  statSync(path: string): { readonly size: number };
  openSync(path: string, options: { append: boolean; createNew: boolean; mode: number }): {
    writeSync(bytes: Uint8Array): number;
    close(): void;
  };
}

/** Deno's own functions: loading Node's for it takes longer than starting the runtime. */
function denoFiles(): DenoFiles | undefined {
  return (globalThis as { readonly Deno?: DenoFiles }).Deno;
}

/**
 * Bytes of a file.
 *
 * @throws {Error} The runtime's own, such as `ENOENT`.
 */
export function readBytes(path: string): Uint8Array<ArrayBuffer> {
  const deno = denoFiles();
  if (deno !== undefined) return deno.readFileSync(path);
  return Uint8Array.from(nodeBuiltin("node:fs").readFileSync(path));
}

/** Bytes of a small file such as those under `/proc`; `undefined` where it cannot be read. */
export function tryReadBytes(path: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return readBytes(path);
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
  try {
    fileSize(path);
    return true;
  } catch {
    return false;
  }
}

/**
 * Bytes of a file, as its folder tells.
 *
 * @throws {Error} The runtime's own.
 */
export function fileSize(path: string): number {
  return (denoFiles() ?? nodeBuiltin("node:fs")).statSync(path).size;
}

/**
 * Names of what a folder holds.
 *
 * @throws {Error} The runtime's own.
 */
export function listFolder(path: string): string[] {
  const deno = denoFiles();
  if (deno === undefined) return nodeBuiltin("node:fs").readdirSync(path);
  return Array.from(deno.readDirSync(path), ({ name }) => name);
}

/**
 * Makes a folder, and those around it, where there is none.
 *
 * @throws {Error} The runtime's own.
 */
export function makeFolder(path: string): void {
  (denoFiles() ?? nodeBuiltin("node:fs")).mkdirSync(path, { recursive: true });
}

/**
 * Removes a file.
 *
 * @throws {Error} The runtime's own.
 */
export function removeFile(path: string): void {
  const deno = denoFiles();
  if (deno === undefined) nodeBuiltin("node:fs").unlinkSync(path);
  else deno.removeSync(path);
}

/** A file that is written at its end. */
export interface AppendedFile {
  /** How many of the bytes were written; a disk that is nearly full takes a part. */
  write(bytes: Uint8Array): number;
  /** False where other code has closed its descriptor, whose number may be another file's by now. */
  isOpen?(): boolean;
  close(): void;
}

/**
 * Makes a file.
 *
 * @throws {Error} The runtime's own, such as `EEXIST`.
 */
export function createFile(path: string, mode = 0o666): AppendedFile {
  const deno = denoFiles();
  if (deno !== undefined) {
    const file = deno.openSync(path, { append: true, createNew: true, mode });
    return { write: (bytes) => file.writeSync(bytes), close: () => file.close() };
  }
  const { closeSync, openSync, writeSync } = nodeBuiltin("node:fs");
  const fd = openSync(path, "ax", mode);
  return { write: (bytes) => writeSync(fd, bytes), close: () => closeSync(fd) };
}
