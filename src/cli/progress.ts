import process from "node:process";
import { formatCount } from "../report/text_style.ts";

/** Work that takes longer than this shows how far it is. */
const SHOW_AFTER_MS = 1000;
const UPDATE_MS = 100;

/** Shows `what: n of m` on standard error, where that is a terminal and the work takes over a second. */
export class Progress implements Disposable {
  readonly #what: string;
  readonly #total: number;
  readonly #start = performance.now();
  #last = 0;
  #shown = false;

  constructor(what: string, total: number) {
    this.#what = what;
    this.#total = total;
  }

  /** `done` of the total is done. */
  update(done: number): void {
    if (!process.stderr.isTTY) return;
    const elapsed = performance.now() - this.#start;
    if (elapsed < SHOW_AFTER_MS || elapsed - this.#last < UPDATE_MS) return;
    this.#last = elapsed;
    this.#shown = true;
    const counts = `${formatCount(done)} of ${formatCount(this.#total)}`;
    process.stderr.write(`\r\x1b[K${this.#what}: ${counts}, ${Math.round(elapsed / 1000)} s`);
  }

  /** Takes the line away. */
  [Symbol.dispose](): void {
    if (this.#shown) process.stderr.write("\r\x1b[K");
  }
}
