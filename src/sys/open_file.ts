import { nodeBuiltin } from "./node_builtins.ts";

/** A file that is open for reading by position. */
export interface OpenFile {
  readonly path: string;
  /** Bytes of the file when it was opened. */
  readonly size: number;
  /** Reads bytes from `offset` on into `bytes`; returns how many: fewer than wanted is no error, 0 is the file's end. */
  read(bytes: Uint8Array, offset: number): number;
  close(): void;
}

/** The parts of `Deno` used here, declared so that no other runtime needs Deno's types. */
interface DenoFiles {
  openSync(path: string): DenoFile;
}

interface DenoFile {
  statSync(): { readonly size: number };
  seekSync(offset: number, whence: number): number;
  readSync(bytes: Uint8Array): number | null;
  close(): void;
}

/** `SEEK_SET` of lseek(2). */
const FROM_START = 0;

/**
 * Opens a file.
 *
 * @throws the runtime's error, which names the path, where it cannot be opened
 */
export function openFile(path: string): OpenFile {
  const deno = (globalThis as { readonly Deno?: DenoFiles }).Deno;
  return deno === undefined ? openWithNode(path) : openWithDeno(deno, path);
}

/**
 * Opens a file that somebody else may have put there: it must be a regular one, and no symbolic link to one. Nothing
 * else is waited for, as for the writer of a named pipe.
 *
 * @throws {TypeError} It is no regular file.
 * @throws {Error} The file system's own error, such as `ENOENT`.
 */
export function openRegularFile(path: string): OpenFile {
  const { closeSync, constants, fstatSync, openSync } = nodeBuiltin("node:fs");
  const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
  let handle: number;
  try {
    handle = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    // ELOOP of a link, ENXIO of a socket.
    if (!["ELOOP", "ENXIO"].includes((error as { code?: string }).code ?? "")) throw error;
    throw notRegular(path);
  }
  if (fstatSync(handle).isFile()) return openHandle(path, handle);
  closeSync(handle);
  throw notRegular(path);
}

function notRegular(path: string): TypeError {
  return new TypeError(`${path} is no regular file: remove it`);
}

/** All bytes of a file, in memory of their own. */
export function readWholeFile(path: string): Uint8Array<ArrayBuffer> {
  const file = openFile(path);
  try {
    return readAll(file);
  } finally {
    file.close();
  }
}

/** All bytes of an open file, in memory of their own. */
export function readAll(file: OpenFile): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(file.size);
  let done = 0;
  while (done < bytes.length) {
    const count = file.read(done === 0 ? bytes : bytes.subarray(done), done);
    if (count === 0) break;
    done += count;
  }
  return done === bytes.length ? bytes : bytes.slice(0, done);
}

/** By Deno's own functions: loading `node:fs` takes longer there than starting the runtime. */
function openWithDeno(deno: DenoFiles, path: string): OpenFile {
  const file = deno.openSync(path);
  return {
    path,
    size: file.statSync().size,
    read(bytes, offset) {
      file.seekSync(offset, FROM_START);
      return file.readSync(bytes) ?? 0;
    },
    close: () => file.close(),
  };
}

function openWithNode(path: string): OpenFile {
  return openHandle(path, nodeBuiltin("node:fs").openSync(path, "r"));
}

function openHandle(path: string, handle: number): OpenFile {
  const { closeSync, fstatSync, readSync } = nodeBuiltin("node:fs");
  return {
    path,
    size: fstatSync(handle).size,
    read: (bytes, offset) => readSync(handle, bytes, 0, bytes.length, offset),
    close: () => closeSync(handle),
  };
}
