import { diffLines } from "../../base/diff_lines.ts";

/** The names that debug information gets for the lines of a patched file. */
export interface LineNames {
  /** For lines that the file had before. */
  readonly own: string;
  /** For those that patches added: a file that has the patched text as it is. */
  readonly added: string;
}

/**
 * A patched C file that compiles to the line numbers of the original one, by `#line` directives: reports then name lines
 * of the file that its user knows. Added lines have numbers and the name of another file.
 */
export function keepLineNumbers(original: string, patched: string, names: LineNames): string {
  const lines = patched.split("\n");
  const from = originalLines(original.split("\n"), lines);
  const scanner = new LineScanner();
  const out: string[] = [];
  let name = names.own, next = 1;
  for (const [at, line] of lines.entries()) {
    const line1 = from[at] === undefined ? at + 1 : from[at] + 1;
    const wanted = from[at] === undefined ? names.added : names.own;
    const isOff = wanted !== name || line1 !== next;
    // Nothing is compiled from an empty line.
    if (isOff && line.trim() !== "" && scanner.atStart) {
      out.push(`#line ${line1} "${wanted}"`);
      name = wanted;
      next = line1;
    }
    out.push(line);
    scanner.take(line);
    next++;
  }
  return out.join("\n");
}

/** The line of the original that each line is, from 0; `undefined` for an added one. */
function originalLines(
  before: readonly string[],
  after: readonly string[],
): (number | undefined)[] {
  const from: (number | undefined)[] = [];
  let old = 0;
  for (const { oldStart, oldCount, newCount } of diffLines(before, after)) {
    // Braces and empty lines between two additions are alike by chance.
    const isChance = from.length > 0 && from.at(-1) === undefined &&
      before.slice(old, oldStart).every((line) => !/\w/.test(line));
    while (old < oldStart) from.push(isChance ? (old++, undefined) : old++);
    for (let i = 0; i < newCount; i++) from.push(undefined);
    old = oldStart + oldCount;
  }
  while (from.length < after.length) from.push(old++);
  return from;
}

/** Knows whether a directive can stand before the next line: not in a comment, nor where a line goes on. */
class LineScanner {
  #inComment = false;
  #continued = false;

  get atStart(): boolean {
    return !this.#inComment && !this.#continued;
  }

  take(line: string): void {
    this.#continued = line.endsWith("\\");
    let at = 0;
    while (at < line.length) {
      if (this.#inComment) {
        const end = line.indexOf("*/", at);
        if (end < 0) return;
        this.#inComment = false;
        at = end + 2;
        continue;
      }
      const token = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\/\*|\/\//g;
      token.lastIndex = at;
      const found = token.exec(line);
      if (found === null || found[0] === "//") return;
      this.#inComment = found[0] === "/*";
      at = token.lastIndex;
    }
  }
}
