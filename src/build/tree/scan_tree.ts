import { lstatSync, readdirSync } from "node:fs";
import { unusedSources } from "../unused_sources.ts";

/** Size and time of each file of a tree, as text that changes where one of them does, by path. */
export type TreeStamps = ReadonlyMap<string, string>;

/** What kbuild makes in a tree and git ignores there, by the file's name. */
const MADE_FILE =
  /(?:\.(?:a|cmd|d|dtb|dwo|elf|gcno|ko|lst|mod|mod\.c|o|order|s|so|symtypes|symvers|lex\.c|tab\.[ch])|^\.config(?:\.old)?|^vmlinux(?:\.(?:export\.c|map|unstripped))?$|^System\.map|^\.tmp_.*|^\.version|^\.missing-syscalls\.d|~|\.orig|\.rej|\.sw[a-p])$/;

/** Folders of what kbuild makes. */
const MADE_FOLDER = /^(?:include\/config|(?:arch\/[^/]+\/)?include\/generated)$/;

/** Folders that no build reads. */
const UNREAD = /^(?:\.git|tools\/(?:perf|testing))$/;

/** Documentation that a build reads: options of Kconfig. */
const UNREAD_DOCUMENT = /^Documentation\/(?!(?:.*\/)?(?:Kconfig|Makefile)[^/]*$)/;

/**
 * Whether a path is of a file that {@linkcode scanTree} lists, whether it is there or not.
 *
 * @param all as there
 */
export function isScanned(path: string, all: boolean): boolean {
  const folders = path.split("/").slice(0, -1).map((_, at, parts) =>
    parts.slice(0, at + 1).join("/")
  );
  const name = path.slice(path.lastIndexOf("/") + 1);
  return !folders.some((folder) => MADE_FOLDER.test(folder) || UNREAD.test(folder)) &&
    !MADE_FILE.test(name) && !UNREAD_DOCUMENT.test(path) && (all || !unusedSources(false)(path));
}

/** Size, time and mode of a file as text; `undefined` where it is not there, or no file. */
export function stampOf(path: string): string | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined || !(stat.isFile() || stat.isSymbolicLink())) return undefined;
  return `${stat.size} ${stat.mtimeMs} ${stat.mode}`;
}

/**
 * Lists the files of a Linux source tree that a build of user-mode Linux can need, in one pass; what a build of the
 * user's has left there is not among them.
 *
 * @param all drivers and architectures too that user-mode Linux is not known to need
 */
export function scanTree(root: string, all: boolean): TreeStamps {
  const stamps = new Map<string, string>();
  const unused = all ? () => false : unusedSources(false);
  function visit(folder: string): void {
    for (const entry of readdirSync(`${root}/${folder}`, { withFileTypes: true })) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        if (!MADE_FOLDER.test(path) && !UNREAD.test(path)) visit(path);
      } else if (entry.isFile() || entry.isSymbolicLink()) {
        if (MADE_FILE.test(entry.name) || UNREAD_DOCUMENT.test(path) || unused(path)) continue;
        const stamp = stampOf(`${root}/${path}`);
        // An editor may have replaced it just now: it is seen at the next pass.
        if (stamp !== undefined) stamps.set(path, stamp);
      }
    }
  }
  visit("");
  return stamps;
}
