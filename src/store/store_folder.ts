import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { KcovUnavailableError } from "../errors.ts";
import { lockRun, type RunLock } from "../record/run_lock.ts";
import { errorCode } from "../sys/file_error.ts";
import { segmentFolder } from "./segments/segment.ts";
import { manifestText, parseManifest, type StoreManifest } from "./store_manifest.ts";

// A store is what its manifest names. Files of a segment are written to a folder of another name first; then they get
// theirs, then a new manifest takes the place of the old one, then what no manifest names is removed. So whenever a
// writer is killed, the store is the old one or the new one, and the next writer removes what was left behind.

const MANIFEST = "store.json";

/** Whether a folder is a store. */
export function isStore(directory: string): boolean {
  return existsSync(join(directory, MANIFEST));
}

/**
 * What a store holds.
 *
 * @throws {TypeError} Where there is no store.
 * @throws {FormatError} Where its manifest is damaged, or of another version.
 */
export function readManifest(directory: string): StoreManifest {
  const path = join(directory, MANIFEST);
  try {
    return parseManifest(readFileSync(path, "utf8"), path);
  } catch (error) {
    if (errorCode(error) !== "ENOENT" && errorCode(error) !== "ENOTDIR") throw error;
    throw new TypeError(
      `There is no store in ${directory}: make one with kernelcov store add ${directory} RUN`,
      { cause: error },
    );
  }
}

/** A store that no other command changes meanwhile. Disposing lets go of it. */
export class StoreWriter implements Disposable {
  readonly directory: string;
  readonly #lock: RunLock;
  #manifest: StoreManifest | undefined;

  /**
   * Takes hold of a store, which may be a new folder, and removes what a writer that was killed has left.
   *
   * @throws {TypeError} Where the folder holds something else, or cannot be written to.
   * @throws {KcovUnavailableError} With reason `busy` where another command changes it.
   */
  constructor(directory: string) {
    this.directory = directory;
    const known = isStore(directory);
    if (!known) refuseOthers(directory);
    this.#lock = lock(directory);
    try {
      this.#manifest = isStore(directory) ? readManifest(directory) : undefined;
      mkdirSync(join(directory, "segments"), { recursive: true });
      this.#removeUnnamed();
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** What the store holds; `undefined` where it is new. */
  get manifest(): StoreManifest | undefined {
    return this.#manifest;
  }

  /** A folder for the files of a new segment. */
  newSegment(): { readonly id: string; readonly folder: string } {
    const id = crypto.getRandomValues(new Uint8Array(6)).toHex();
    const folder = join(this.directory, "segments", `.new-${id}`);
    mkdirSync(folder);
    return { id, folder };
  }

  /** Makes a manifest that of the store, with the segments that were written for it. */
  commit(manifest: StoreManifest): void {
    const segments = join(this.directory, "segments");
    for (const { id } of manifest.segments) {
      const folder = join(segments, `.new-${id}`);
      if (!existsSync(folder)) continue;
      syncFolder(folder);
      renameSync(folder, segmentFolder(this.directory, id));
    }
    syncFolder(segments);
    const path = join(this.directory, MANIFEST);
    const fd = openSync(`${path}.new`, "w");
    try {
      const bytes = new TextEncoder().encode(manifestText(manifest));
      for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(`${path}.new`, path);
    syncFolder(this.directory);
    this.#manifest = manifest;
    this.#removeUnnamed();
  }

  #removeUnnamed(): void {
    const folder = join(this.directory, "segments");
    const named = new Set(this.#manifest?.segments.map(({ id }) => `segment=${id}`));
    for (const name of readdirSync(folder)) {
      if (named.has(name) || !/^(?:segment=|\.new-)[0-9a-f]{12}$/.test(name)) continue;
      rmSync(join(folder, name), { recursive: true, force: true });
    }
  }

  [Symbol.dispose](): void {
    this.#lock[Symbol.dispose]();
  }
}

function lock(directory: string): RunLock {
  try {
    return lockRun(directory);
  } catch (error) {
    if (!(error instanceof KcovUnavailableError)) throw error;
    throw new KcovUnavailableError(
      "busy",
      `Another command changes the store in ${directory}: wait for it, or add to another store`,
      { cause: error },
    );
  }
}

/** A folder with other files is hardly meant. */
function refuseOthers(directory: string): void {
  const names = existsSync(directory) ? readdirSync(directory) : [];
  // What a first writer that was killed has left is no reason.
  const other = names.find((name) => !/^(?:segments|store\.json\.new|lock.*)$/.test(name));
  if (other === undefined) return;
  throw new TypeError(
    `${directory} is no store, and holds ${other}: name a store or a new folder first, then the runs`,
  );
}

function syncFolder(path: string): void {
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
