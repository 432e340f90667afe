import { diffLines } from "../../base/diff_lines.ts";

/** Where the lines of a text are in a later text of the same file. */
export class LineMap {
  /** By number of a line less 1, that of the later text; 0 where it was changed or removed. Empty: they are the same. */
  readonly #to: Uint32Array | undefined;

  constructor(before: string, after: string) {
    if (before === after) return;
    const lines = before.split("\n");
    const to = new Uint32Array(lines.length);
    let from = 0, shift = 1;
    for (const change of diffLines(lines, after.split("\n"))) {
      for (; from < change.oldStart; from++) to[from] = from + shift;
      from = change.oldStart + change.oldCount;
      shift += change.newCount - change.oldCount;
    }
    for (; from < lines.length; from++) to[from] = from + shift;
    this.#to = to;
  }

  /** The number of a line in the later text; 0 where it was changed or removed. */
  lineOf(line: number): number {
    return this.#to === undefined ? line : this.#to[line - 1] ?? 0;
  }
}
