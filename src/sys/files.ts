import { nodeBuiltin } from "./node_builtins.ts";

/** The parts of `Deno` that files need, declared so that no other runtime needs Deno's types. */
export interface DenoFiles {
  readFileSync(path: string): Uint8Array<ArrayBuffer>;
  readDirSync(path: string): Iterable<{ readonly name: string }>;
  mkdirSync(path: string, options: { recursive: boolean }): void;
  removeSync(path: string): void;
  statSync(path: string): DenoStat;
  lstatSync(path: string): { readonly isSymlink: boolean };
  renameSync(from: string, to: string): void;
  linkSync(path: string, other: string): void;
  readLinkSync(path: string): string;
  openSync(
    path: string,
    options?: { append: boolean; createNew: boolean; mode: number },
  ): DenoFile;
}

interface DenoFile {
  statSync(): DenoStat;
  seekSync(offset: number, whence: number): number;
  readSync(bytes: Uint8Array): number | null;
  writeSync(bytes: Uint8Array): number;
  truncateSync(size: number): void;
  close(): void;
}

interface DenoStat extends FileKinds {
  readonly size: number;
}

/** What a file can be, as both runtimes name it. */
export interface FileKinds {
  readonly isFile: boolean;
  readonly isDirectory: boolean;
  readonly isFifo?: boolean | null;
  readonly isFIFO?: boolean;
  readonly isSocket: boolean | null;
  readonly isBlockDevice: boolean | null;
}

/** Deno's own functions: loading Node's for it takes longer than starting the runtime. */
export function denoFiles(): DenoFiles | undefined {
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

/** Whether a path names a symbolic link, wherever that leads. */
export function isLink(path: string): boolean {
  try {
    const deno = denoFiles();
    if (deno !== undefined) return deno.lstatSync(path).isSymlink;
    return nodeBuiltin("node:fs").lstatSync(path).isSymbolicLink();
  } catch {
    return false;
  }
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

/**
 * Gives a file or folder another name on the same file system.
 *
 * @throws {Error} The runtime's own.
 */
export function renameFile(from: string, to: string): void {
  (denoFiles() ?? nodeBuiltin("node:fs")).renameSync(from, to);
}

/**
 * Gives a file a second name, at once or not at all.
 *
 * @throws {Error} The runtime's own, such as `EEXIST`.
 */
export function linkFile(path: string, other: string): void {
  (denoFiles() ?? nodeBuiltin("node:fs")).linkSync(path, other);
}

/** What a symbolic link says; `undefined` where there is none. */
export function tryReadLink(path: string): string | undefined {
  const deno = denoFiles();
  try {
    return deno === undefined ? nodeBuiltin("node:fs").readlinkSync(path) : deno.readLinkSync(path);
  } catch {
    return undefined;
  }
}

/** A file that is written at its end. */
export interface AppendedFile {
  /** How many of the bytes were written; a disk that is nearly full takes a part. */
  write(bytes: Uint8Array): number;
  /** Cuts the file off behind so many bytes. */
  truncate(size: number): void;
  /** False where other code has closed its descriptor, whose number may be another file's by now. */
  isOpen?(): boolean;
  /** Opens it again where that happened. */
  reopen?(): void;
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
    return {
      write: (bytes) => file.writeSync(bytes),
      truncate: (size) => file.truncateSync(size),
      close: () => file.close(),
    };
  }
  const { closeSync, ftruncateSync, openSync, writeSync } = nodeBuiltin("node:fs");
  const fd = openSync(path, "ax", mode);
  return {
    write: (bytes) => writeSync(fd, bytes),
    truncate: (size) => ftruncateSync(fd, size),
    close: () => closeSync(fd),
  };
}
