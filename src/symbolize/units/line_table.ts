import { grown } from "../../base/grow.ts";

/** No source file has more lines; a damaged line table may say so. */
const LARGEST_LINE = 0xf_ffff;

/**
 * Gives each distinct line of each path a dense id, in order of first sight. Looked up by line number directly: lines
 * of a file are met near each other, so this stays in the processor's cache where a hash table would not.
 */
export class LineTable {
  /** Number of lines. */
  count = 0;
  path = new Int32Array(65536);
  line = new Int32Array(65536);
  /** Per path, by line: id + 1. */
  readonly #ids: (Int32Array<ArrayBuffer> | undefined)[] = [];

  /** Id of a line; -1 for what cannot be one. */
  id(path: number, line: number): number {
    if (!(line > 0 && line <= LARGEST_LINE)) return -1;
    let ids = this.#ids[path];
    if (ids === undefined || line >= ids.length) {
      while (this.#ids.length <= path) this.#ids.push(undefined);
      ids = ids === undefined ? new Int32Array(Math.max(256, line + 128)) : grown(ids, line + 1);
      this.#ids[path] = ids;
    }
    const known = ids[line];
    if (known > 0) return known - 1;
    const id = this.count++;
    if (id === this.path.length) {
      this.path = grown(this.path, id + 1);
      this.line = grown(this.line, id + 1);
    }
    this.path[id] = path;
    this.line[id] = line;
    ids[line] = id + 1;
    return id;
  }
}
