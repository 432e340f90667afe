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

/** All bytes of a file, in memory of their own. */
export function readWholeFile(path: string): Uint8Array<ArrayBuffer> {
  const file = openFile(path);
  try {
    const bytes = new Uint8Array(file.size);
    let done = 0;
    while (done < bytes.length) {
      const count = file.read(done === 0 ? bytes : bytes.subarray(done), done);
      if (count === 0) break;
      done += count;
    }
    return done === bytes.length ? bytes : bytes.slice(0, done);
  } finally {
    file.close();
  }
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
  const { closeSync, fstatSync, openSync, readSync } = nodeBuiltin("node:fs");
  const handle = openSync(path, "r");
  return {
    path,
    size: fstatSync(handle).size,
    read: (bytes, offset) => readSync(handle, bytes, 0, bytes.length, offset),
    close: () => closeSync(handle),
  };
}
