import {
  constants,
  copyFileSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { writeWhole } from "../../sys/written_files.ts";
import { isScanned, scanTree, stampOf, type TreeStamps } from "./scan_tree.ts";

/** What a mirror was brought up to date with. */
interface MirrorState {
  /** Holds all of the tree, not only what user-mode Linux is known to need. */
  readonly all: boolean;
  readonly stamps: TreeStamps;
}

/** What was brought up to date in a mirror. */
export interface MirrorChanges {
  /** Paths that the tree has new or changed. */
  readonly changed: readonly string[];
  /** Paths that it has not any more. */
  readonly removed: readonly string[];
  /** The mirror was empty. */
  readonly first: boolean;
  /** All files of the tree that are mirrored. */
  readonly stamps: TreeStamps;
}

/** Options of {@linkcode mirrorTree}. */
export interface MirrorOptions {
  /** Mirror all of the tree. */
  readonly all?: boolean;
  /** Look at these paths alone: nothing else has changed. */
  readonly only?: readonly string[];
  /** Paths that others put into the mirror, as the tree's with changes. */
  readonly except?: ReadonlySet<string>;
}

/**
 * Brings a copy of a tree up to date: files whose size, time or mode differ from those of the last pass are copied, on
 * file systems that can as clones. They get the time of the copy, which is later than that of any object.
 *
 * Hard links would save the first copy, but change each of the user's files (its link count and change time, which make
 * git read all of them again), and an editor that writes in place would change the sources of a kernel that is built.
 *
 * @param mirror folder for the copy, made if it is not there
 * @param stateFile what is kept between passes
 */
export function mirrorTree(
  tree: string,
  mirror: string,
  stateFile: string,
  { all = false, only, except = new Set() }: MirrorOptions = {},
): MirrorChanges {
  const before = readState(stateFile);
  // Without a state nobody knows what is there.
  if (before === undefined) rmSync(mirror, { recursive: true, force: true });
  const whole = all || before?.all === true;
  const stamps = before === undefined || only === undefined
    ? scanTree(tree, whole)
    : rescan(tree, before, only);
  const known = before?.stamps ?? new Map<string, string>();
  const changed = [...stamps].filter(([path, stamp]) => known.get(path) !== stamp)
    .map(([path]) => path);
  const removed = [...known.keys()].filter((path) => !stamps.has(path));
  // If this is cut short, the next pass does it again.
  for (const path of removed) if (!except.has(path)) rmSync(join(mirror, path), { force: true });
  const folders = new Set<string>();
  for (const path of changed) {
    if (except.has(path)) continue;
    const folder = dirname(path);
    if (!folders.has(folder)) mkdirSync(join(mirror, folder), { recursive: true });
    folders.add(folder);
    copyEntry(join(tree, path), join(mirror, path));
  }
  if (before === undefined || changed.length + removed.length > 0 || whole !== before.all) {
    writeWhole(stateFile, [JSON.stringify({ all: whole, stamps: [...stamps] })]);
  }
  return { changed, removed, first: before === undefined, stamps };
}

function rescan(tree: string, { all, stamps }: MirrorState, paths: readonly string[]): TreeStamps {
  const again = new Map(stamps);
  for (const path of paths) {
    const stamp = isScanned(path, all) ? stampOf(join(tree, path)) : undefined;
    if (stamp === undefined) again.delete(path);
    else again.set(path, stamp);
  }
  return again;
}

/** Copies a file, as a clone where the file system can, or a link as it is. */
export function copyEntry(from: string, to: string): void {
  rmSync(to, { force: true });
  if (lstatSync(from).isSymbolicLink()) {
    symlinkSync(readlinkSync(from), to);
    return;
  }
  copyFileSync(from, to, constants.COPYFILE_FICLONE);
  const now = new Date();
  utimesSync(to, now, now);
}

/** Whether a mirror holds all of its tree. */
export function mirrorsAll(stateFile: string): boolean {
  return readState(stateFile)?.all === true;
}

function readState(file: string): MirrorState | undefined {
  try {
    const { all, stamps } = JSON.parse(readFileSync(file, "utf8"));
    return { all, stamps: new Map(stamps) };
  } catch {
    return undefined; // None yet, or it was cut short: the mirror is made anew.
  }
}
