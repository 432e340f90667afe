import { type DenoFiles, denoFiles, type FileKinds } from "./files.ts";
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

/** `SEEK_SET` of lseek(2). */
const FROM_START = 0;

/**
 * Opens a regular file. Anything else may have no end, or wait for a writer for ever: it is refused without
 * waiting.
 *
 * @throws {TypeError} Where it is a folder, a FIFO, a socket or a device.
 * @throws the runtime's error, which names the path, where it cannot be opened
 */
export function openFile(path: string): OpenFile {
  const deno = denoFiles();
  return deno === undefined ? openWithNode(path) : openWithDeno(deno, path);
}

/**
 * Opens a file that somebody else may have put there: it must be a regular one, and not a symbolic link to one. It
 * never waits, as for the writer of a named pipe.
 *
 * @throws {TypeError} It is not a regular file.
 * @throws {Error} The file system's own error, such as `ENOENT`.
 */
export function openRegularFile(path: string): OpenFile {
  const { O_NOFOLLOW } = nodeBuiltin("node:fs").constants;
  try {
    return openWithNode(path, O_NOFOLLOW);
  } catch (error) {
    // ELOOP of a link, ENXIO of a socket.
    if (!["ELOOP", "ENXIO"].includes((error as { code?: string }).code ?? "")) throw error;
    throw new TypeError(`${path} is not a regular file: remove it`);
  }
}

/** All bytes of a regular file, in memory of their own. Throws as {@linkcode openFile}. */
export function readWholeFile(path: string): Uint8Array<ArrayBuffer> {
  const file = openFile(path);
  try {
    return readAll(file);
  } finally {
    file.close();
  }
}

/** All bytes of an open file, in memory of their own. */
function readAll(file: OpenFile): Uint8Array<ArrayBuffer> {
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
  // It has no way to open a FIFO without waiting for its writer.
  refuseOthers(path, deno.statSync(path));
  const file = deno.openSync(path);
  const stat = file.statSync();
  return checked(path, stat, {
    path,
    size: stat.size,
    read(bytes, offset) {
      file.seekSync(offset, FROM_START);
      return file.readSync(bytes) ?? 0;
    },
    close: () => file.close(),
  });
}

function openWithNode(path: string, flags = 0): OpenFile {
  const { closeSync, constants, fstatSync, openSync, readSync } = nodeBuiltin("node:fs");
  const { O_NOCTTY, O_NONBLOCK, O_RDONLY } = constants;
  const handle = openSync(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | flags);
  const stat = fstatSync(handle);
  const kinds = {
    isFile: stat.isFile(),
    isDirectory: stat.isDirectory(),
    isFIFO: stat.isFIFO(),
    isSocket: stat.isSocket(),
    isBlockDevice: stat.isBlockDevice(),
  };
  return checked(path, kinds, {
    path,
    size: stat.size,
    read: (bytes, offset) => readSync(handle, bytes, 0, bytes.length, offset),
    close: () => closeSync(handle),
  });
}

function checked(path: string, kinds: FileKinds, file: OpenFile): OpenFile {
  try {
    refuseOthers(path, kinds);
  } catch (error) {
    file.close();
    throw error;
  }
  return file;
}

function refuseOthers(path: string, kinds: FileKinds): void {
  if (kinds.isFile) return;
  throw new TypeError(`Cannot read ${path}: it is ${kindOf(kinds)}: name a regular file`);
}

function kindOf({ isDirectory, isFifo, isFIFO, isSocket, isBlockDevice }: FileKinds): string {
  if (isDirectory) return "a folder";
  if (isFifo || isFIFO) return "a FIFO";
  if (isSocket) return "a socket";
  return isBlockDevice ? "a block device" : "a device";
}
