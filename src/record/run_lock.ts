import { toHex } from "../base/byte_text.ts";
import { KcovUnavailableError } from "../errors.ts";
import { errorCode, fileError } from "../sys/file_error.ts";
import { createFile, linkFile, removeFile } from "../sys/files.ts";
import { openRegularFile } from "../sys/open_file.ts";
import {
  formatInvocation,
  type Invocation,
  isAlive,
  parseInvocation,
  thisInvocation,
} from "./invocation.ts";
import { makeRunFolder } from "./run_folder.ts";

// A file that says who made it, written under another name first: it is there whole or not at all. Not a dangling
// link: runners that look for tests in all files of a project, as node --test, fail on those.
const LOCK = "lock";
/** Locks are shorter. */
const LOCK_BYTES = 256;
/** Time between two looks at whose turn it is. */
const TURN_MS = 1;

/** A run's folder that no other command records into meanwhile. Disposing releases it. */
export class RunLock implements Disposable {
  readonly directory: string;
  /** Names the run. */
  readonly run: string;

  constructor(directory: string, run: string) {
    this.directory = directory;
    this.run = run;
  }

  [Symbol.dispose](): void {
    const path = `${this.directory}/${LOCK}`;
    if (readLock(path) === this.run) removeFile(path);
  }
}

/**
 * Makes a run's folder, where there is none, and locks it for this process.
 *
 * @throws {KcovUnavailableError} With reason `busy` where a command that runs still has it; names its process.
 * @throws {TypeError} Where the folder cannot be written to.
 */
export function lockRun(directory: string): RunLock {
  const run = formatInvocation(thisInvocation());
  try {
    makeRunFolder(directory);
    while (!tryMakeLock(run, `${directory}/${LOCK}`)) takeOver(directory, run);
  } catch (error) {
    if (error instanceof KcovUnavailableError || errorCode(error) === undefined) throw error;
    throw fileError("write to", directory, error, "name a folder that you may write to with --out");
  }
  return new RunLock(directory, run);
}

/** The process of the command that records into a folder now; `undefined` where there is none. */
export function runLockHolder(directory: string): number | undefined {
  return holderOf(readLock(`${directory}/${LOCK}`))?.pid;
}

function holderOf(text: string | undefined): Invocation | undefined {
  const invocation = text === undefined ? undefined : parseInvocation(text);
  return invocation !== undefined && isAlive(invocation) ? invocation : undefined;
}

/** What a lock says, empty where it is something else; `undefined` where there is none. */
function readLock(path: string): string | undefined {
  try {
    const file = openRegularFile(path);
    try {
      const bytes = new Uint8Array(LOCK_BYTES);
      return new TextDecoder().decode(bytes.subarray(0, file.read(bytes, 0)));
    } finally {
      file.close();
    }
  } catch (error) {
    return errorCode(error) === "ENOENT" ? undefined : "";
  }
}

function tryMakeLock(text: string, path: string): boolean {
  const own = `${path}.${toHex(crypto.getRandomValues(new Uint8Array(6)))}`;
  const file = createFile(own);
  try {
    file.write(new TextEncoder().encode(text));
    linkFile(own, path);
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  } finally {
    file.close();
    removeFile(own);
  }
}

/**
 * Removes a lock whose process has ended. One process at a time does so: a second could remove the lock that a third has
 * made since it looked.
 */
function takeOver(directory: string, run: string): void {
  const path = `${directory}/${LOCK}`;
  refuseIfHeld(directory, readLock(path));
  const turn = `${path}.turn`;
  if (!tryMakeLock(run, turn)) {
    const text = readLock(turn);
    if (text !== undefined && holderOf(text) === undefined) removeIfThere(turn);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, TURN_MS);
    return;
  }
  try {
    const text = readLock(path);
    if (text !== undefined && holderOf(text) === undefined) removeIfThere(path);
  } finally {
    removeFile(turn);
  }
}

function removeIfThere(path: string): void {
  try {
    removeFile(path);
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
  }
}

function refuseIfHeld(directory: string, text: string | undefined): void {
  const holder = holderOf(text);
  if (holder === undefined) return;
  throw new KcovUnavailableError(
    "busy",
    `Process ${holder.pid} records into ${directory}: wait for it, or name another folder with --out`,
  );
}
