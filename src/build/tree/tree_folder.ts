import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { cacheFolderPath } from "../../sys/cache_folder.ts";

/** What is kept of a tree of the user's between builds. */
export interface TreeFolder {
  readonly path: string;
  /** The copy that is patched and built. */
  readonly mirror: string;
  /** The text of patched files. */
  readonly added: string;
  readonly log: string;
  /** What the mirror was brought up to date with. */
  readonly scan: string;
  readonly patches: string;
  /** What the mirror was configured with. */
  readonly configured: string;
  /** What was built last. */
  readonly built: string;
  /** How the image is linked, and the symbols that its table of symbols was made of. */
  readonly link: string;
  readonly symbols: string;
  readonly lock: string;
}

/** Folder of all trees, which need not exist. */
export function treesFolder(): string {
  return join(cacheFolderPath(), "trees");
}

/**
 * The folder of a tree in the cache. Builds with other options have another one.
 *
 * @param variant what tells the options apart
 */
export function treeFolder(tree: string, variant: string): TreeFolder {
  const hash = createHash("sha256").update(`${tree}\n${variant}`).digest("hex").slice(0, 12);
  return treeFolderAt(join(treesFolder(), `${basename(tree)}-${hash}`));
}

/** The names of the files in a tree's folder. */
export function treeFolderAt(path: string): TreeFolder {
  return {
    path,
    mirror: join(path, "source"),
    added: join(path, "patched"),
    log: join(path, "build.log"),
    scan: join(path, "scan.json"),
    patches: join(path, "patches.json"),
    configured: join(path, "configured"),
    built: join(path, "built.json"),
    link: join(path, "link.json"),
    symbols: join(path, "symbols"),
    lock: join(path, "lock"),
  };
}

/** What was built of a tree last. */
export interface LastBuild {
  /** The tree that the folder is of. */
  readonly tree: string;
  /** Of all that went into it. */
  readonly key: string;
  /** The kernel's folder. */
  readonly kernel: string;
}

/** The last build that ended; `undefined` where there is none. */
export function lastBuild({ built }: TreeFolder): LastBuild | undefined {
  try {
    return JSON.parse(readFileSync(built, "utf8"));
  } catch {
    return undefined;
  }
}
