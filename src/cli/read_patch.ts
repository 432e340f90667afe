import { execFileSync } from "node:child_process";
import { closeSync, openSync, readSync } from "node:fs";
import { errorCode, errorReason } from "../sys/file_error.ts";
import { openFile, readWholeFile } from "../sys/open_file.ts";
import { UsageError } from "./command_line.ts";

/** No patch is larger: longer input does not end. */
const LARGEST = 1 << 28;
const CHUNK = 1 << 20;

/** Patches that were read: a descriptor can be read only once. */
const known = new Map<string, string>();

/**
 * The text of a patch: of a regular file, of standard input for `-`, or of a descriptor that the shell made (`<(…)`).
 *
 * @throws {UsageError} Where it cannot be read, or has no end.
 */
export function readPatch(path: string): string {
  try {
    const text = known.get(path) ?? new TextDecoder().decode(readBytes(path));
    known.set(path, text);
    return text;
  } catch (cause) {
    if (cause instanceof TypeError && errorCode(cause) === undefined) {
      throw new UsageError(cause.message, { cause });
    }
    throw new UsageError(
      `Cannot read the patch ${path}: ${errorReason(cause)}: give a unified diff`,
      { cause },
    );
  }
}

function readBytes(path: string): Uint8Array {
  if (path === "-") return readToEnd(0);
  if (!/^\/(?:dev|proc\/self)\/fd\/\d+$/.test(path)) return readFile(path);
  const descriptor = openSync(path, "r");
  try {
    return readToEnd(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function readFile(path: string): Uint8Array {
  const file = openFile(path);
  file.close();
  if (file.size > LARGEST) throw tooLarge(path);
  return readWholeFile(path);
}

function readToEnd(descriptor: number): Uint8Array {
  let bytes = new Uint8Array(CHUNK);
  for (let end = 0;;) {
    const count = readSync(descriptor, bytes, end, bytes.length - end, null);
    if (count === 0) return bytes.subarray(0, end);
    end += count;
    if (end > LARGEST) throw tooLarge("standard input");
    if (end === bytes.length) {
      const larger = new Uint8Array(bytes.length * 2);
      larger.set(bytes);
      bytes = larger;
    }
  }
}

function tooLarge(path: string): TypeError {
  return new TypeError(`Cannot read ${path}: it is longer than any patch: give a unified diff`);
}

/**
 * What a git tree, that of the current folder, changes of a revision.
 *
 * @throws {UsageError} git cannot say.
 */
export function gitDiff(revision: string): string {
  try {
    return git(["diff", "--no-ext-diff", "--end-of-options", revision]);
  } catch (cause) {
    const said = String((cause as { stderr?: unknown }).stderr ?? cause).trim().split("\n")[0]
      .replace(/\.$/, "");
    throw new UsageError(
      `Cannot get git diff ${revision}: ${said}: run this in the kernel's git tree`,
      { cause },
    );
  }
}

/**
 * The revision that this folder's git tree has branched off another one at; that one where it is not known, as in a clone
 * without history.
 */
export function branchPoint(revision: string): string {
  try {
    return git(["merge-base", "--", revision, "HEAD"]).trim();
  } catch {
    return revision;
  }
}

function git(args: readonly string[]): string {
  return execFileSync("git", args, {
    encoding: "utf8",
    maxBuffer: 2 ** 30,
    stdio: ["ignore", "pipe", "pipe"],
  });
}
