import { lstatSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import {
  formatInvocation,
  isAlive,
  isOfThisBoot,
  parseInvocation,
  processInvocation,
} from "../../record/invocation.ts";
import { listFolder, tryReadLink } from "../../sys/files.ts";
import { memoryFolders } from "./memory_folder.ts";

// kernelcov-guest-<namespace of process ids>-<invocation>-<random>
const PREFIX = "kernelcov-guest-";

/**
 * A new folder for the files of one guest, in `parent`. Removes those that killed processes of this user left, there and
 * in all other places for such folders.
 */
export function makeGuestFolder(parent: string = tmpdir()): string {
  const places = [parent, ...memoryFolders().map(({ path }) => path)];
  for (const place of new Set(places)) sweepGuestFolders(place);
  const owner = `${PREFIX}${processNamespace()}-${formatInvocation(processInvocation())}-`;
  return mkdtempSync(join(parent, owner));
}

/** Removes the guests' folders whose processes are gone. */
function sweepGuestFolders(parent: string): void {
  for (const name of namesIn(parent)) {
    if (!name.startsWith(PREFIX) || !isLeftBehind(name)) continue;
    const path = join(parent, name);
    try {
      const stat = lstatSync(path);
      // Other users may have files of such names: they stay, and no link is followed.
      if (stat.isDirectory() && stat.uid === process.getuid?.()) {
        rmSync(path, { recursive: true, force: true });
      }
    } catch {
      // Another kernelcov removed it first.
    }
  }
}

/** What a folder holds; nothing where it may not be read. */
function namesIn(folder: string): string[] {
  try {
    return listFolder(folder);
  } catch {
    return [];
  }
}

function isLeftBehind(name: string): boolean {
  const match = /^(\d+)-(.+)-[^-]+$/.exec(name.slice(PREFIX.length));
  const invocation = match === null ? undefined : parseInvocation(match[2]);
  if (match === null || invocation === undefined) return false;
  if (!isOfThisBoot(invocation)) return true;
  // A container that shares this folder has numbers of its own.
  return match[1] === processNamespace() && !isAlive(invocation);
}

function processNamespace(): string {
  return /\d+/.exec(tryReadLink("/proc/self/ns/pid") ?? "")?.[0] ?? "0";
}
