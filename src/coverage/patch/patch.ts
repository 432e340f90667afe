import { FormatError } from "../../errors.ts";

/** A run of changed lines of a hunk, with nothing unchanged in between. */
export interface Edit {
  /** First changed line in the old file; the line it is inserted before where `removed` is empty. */
  readonly oldLine: number;
  readonly newLine: number;
  readonly removed: readonly string[];
  readonly added: readonly string[];
}

/** One `@@` part of a patch. */
export interface Hunk {
  /** What stands behind the second `@@`: the enclosing function, as diff guesses it. */
  readonly heading: string;
  readonly oldLine: number;
  readonly newLine: number;
  /** Unchanged and removed lines: what the old file holds at `oldLine`. */
  readonly oldText: readonly string[];
  /** Unchanged and added lines. */
  readonly newText: readonly string[];
  readonly edits: readonly Edit[];
}

/** The changes of one file. */
export interface FilePatch {
  /** Path in the old tree; empty for a new file. */
  readonly oldPath: string;
  /** Path in the new tree; empty for a deleted file. */
  readonly newPath: string;
  /** Empty where only the name or the mode changed, and for binary files. */
  readonly hunks: readonly Hunk[];
  readonly binary: boolean;
}

/** Reads a unified diff: `git diff`, `git format-patch`, `diff -u`. Throws a `FormatError` for anything else. */
export function parsePatch(text: string): FilePatch[] {
  const reader = new PatchReader(text);
  const files = reader.read();
  if (files.length === 0 && text.trim() !== "") {
    throw new FormatError(
      "patch",
      "no changed file found: give a unified diff, as git diff writes",
    );
  }
  return files;
}

/** Whether a line is blank or has a comment alone. */
export function isTrivialText(line: string): boolean {
  return /^\s*(?:\/\/.*|\/\*(?:(?!\*\/).)*(?:\*\/)?\s*|\*(?:\s.*|\/\s*)?)?$/.test(line);
}

interface OpenFile {
  oldPath: string;
  newPath: string;
  hunks: Hunk[];
  binary: boolean;
}

class PatchReader {
  readonly #lines: string[];
  #at = 0;
  readonly #files: OpenFile[] = [];
  #file: OpenFile | undefined;

  constructor(text: string) {
    this.#lines = text.split(/\r?\n/);
    if (this.#lines.at(-1) === "") this.#lines.pop();
  }

  read(): FilePatch[] {
    while (this.#at < this.#lines.length) {
      const line = this.#lines[this.#at];
      if (line.startsWith("diff --git ")) this.#gitHeader(line);
      else if (line.startsWith("--- ") && this.#lines[this.#at + 1]?.startsWith("+++ ")) {
        this.#names(line, this.#lines[++this.#at]);
      } else if (line.startsWith("@@@")) {
        throw this.#error("this is a combined diff of a merge: give git diff REV^1 REV");
      } else if (line.startsWith("@@ ")) {
        this.#hunk(line);
        continue;
      } else if (this.#file !== undefined) this.#extendedHeader(line, this.#file);
      this.#at++;
    }
    return this.#files;
  }

  #gitHeader(line: string): void {
    // Without quotes and renames both names are equal, so the line splits in the middle.
    const names = line.slice("diff --git ".length);
    const half = names.length >> 1;
    const quoted = /^("(?:[^"\\]|\\.)*") ("(?:[^"\\]|\\.)*")$/.exec(names);
    this.#open(
      quoted ? pathOf(quoted[1]) : pathOf(names.slice(0, half)),
      quoted ? pathOf(quoted[2]) : pathOf(names.slice(half + 1)),
    );
  }

  #extendedHeader(line: string, file: OpenFile): void {
    if (line.startsWith("new file mode ")) file.oldPath = "";
    else if (line.startsWith("deleted file mode ")) file.newPath = "";
    else if (line.startsWith("rename from ")) file.oldPath = unquote(line.slice(12));
    else if (line.startsWith("rename to ")) file.newPath = unquote(line.slice(10));
    else if (line.startsWith("copy from ")) file.oldPath = unquote(line.slice(10));
    else if (line.startsWith("copy to ")) file.newPath = unquote(line.slice(8));
    else if (line.startsWith("Binary files ") || line === "GIT binary patch") file.binary = true;
  }

  #names(oldLine: string, newLine: string): void {
    const oldPath = pathOf(oldLine.slice(4));
    const newPath = pathOf(newLine.slice(4));
    const file = this.#file;
    // The names after a `diff --git` line are surer than that line; without one they open a file.
    if (file !== undefined && file.hunks.length === 0) {
      file.oldPath = oldPath;
      file.newPath = newPath;
    } else this.#open(oldPath, newPath);
  }

  #open(oldPath: string, newPath: string): void {
    this.#file = { oldPath, newPath, hunks: [], binary: false };
    this.#files.push(this.#file);
  }

  #hunk(header: string): void {
    const match = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@ ?(.*)$/.exec(header);
    if (match === null) throw this.#error(`bad hunk header "${header}"`);
    if (this.#file === undefined) throw this.#error("a hunk before any file name");
    let oldLeft = Number(match[2] ?? 1), newLeft = Number(match[4] ?? 1);
    // A side without lines names the line before the place.
    const oldStart = Number(match[1]) + (oldLeft === 0 ? 1 : 0);
    const newStart = Number(match[3]) + (newLeft === 0 ? 1 : 0);
    const oldText: string[] = [], newText: string[] = [];
    const edits: { oldLine: number; newLine: number; removed: string[]; added: string[] }[] = [];
    let open: (typeof edits)[number] | undefined;
    this.#at++;
    while (oldLeft > 0 || newLeft > 0 || this.#lines[this.#at]?.startsWith("\\")) {
      const line = this.#lines[this.#at++];
      if (line === undefined) throw this.#error("the patch ends within a hunk");
      const mark = line[0] ?? " ";
      const text = line.slice(1);
      if (mark === "\\") continue;
      if (mark === " ") {
        open = undefined;
        oldText.push(text);
        newText.push(text);
        oldLeft--;
        newLeft--;
        continue;
      }
      if (mark !== "-" && mark !== "+") throw this.#error(`bad line "${line}" in a hunk`);
      if (open === undefined) {
        open = {
          oldLine: oldStart + oldText.length,
          newLine: newStart + newText.length,
          removed: [],
          added: [],
        };
        edits.push(open);
      }
      if (mark === "-") {
        open.removed.push(text);
        oldText.push(text);
        oldLeft--;
      } else {
        open.added.push(text);
        newText.push(text);
        newLeft--;
      }
    }
    if (oldLeft < 0 || newLeft < 0) throw this.#error("a hunk has more lines than its header says");
    this.#file.hunks.push({
      heading: match[5],
      oldLine: oldStart,
      newLine: newStart,
      oldText,
      newText,
      edits,
    });
  }

  #error(problem: string): FormatError {
    return new FormatError("patch", `line ${this.#at + 1}: ${problem}`);
  }
}

/** The path of a `---` or `+++` line: no time stamp, no `a/` or `b/`; empty for `/dev/null`. */
function pathOf(text: string): string {
  const path = unquote(text.startsWith('"') ? text : text.split("\t")[0].trimEnd());
  if (path === "/dev/null") return "";
  return path.replace(/^[abciow]\//, "");
}

/** Undoes git's quoting of names with unusual bytes. */
function unquote(text: string): string {
  const quoted = /^"((?:[^"\\]|\\.)*)"/.exec(text)?.[1];
  if (quoted === undefined) return text;
  const bytes: number[] = [];
  const escapes: Record<string, number> = { n: 10, t: 9, r: 13, a: 7, b: 8, f: 12, v: 11 };
  for (const [, octal, escaped, plain] of quoted.matchAll(/\\([0-7]{3})|\\(.)|([^\\]+)/g)) {
    if (octal !== undefined) bytes.push(parseInt(octal, 8));
    else if (escaped !== undefined) bytes.push(escapes[escaped] ?? escaped.charCodeAt(0));
    else bytes.push(...new TextEncoder().encode(plain));
  }
  return new TextDecoder().decode(Uint8Array.from(bytes));
}
