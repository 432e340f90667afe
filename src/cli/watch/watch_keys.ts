import process from "node:process";

/** What a key asks for. */
export type WatchKey =
  | { readonly kind: "all" | "failed" | "again" | "quit" | "help" }
  | { readonly kind: "pattern"; readonly pattern: string };

/** What keys do, in a line. */
export const KEYS_TEXT =
  "a: all tests; f: failed ones; p: by name; Enter: the last ones again; q: quit";

const SIMPLE: Readonly<Record<string, "all" | "failed" | "again" | "quit" | "help">> = {
  a: "all",
  f: "failed",
  "\r": "again",
  "\n": "again",
  q: "quit",
  h: "help",
  "?": "help",
  "\x03": "quit", // Ctrl-C
  "\x04": "quit", // Ctrl-D
};

/** Reads keys of the terminal, one by one; nothing where standard input is none. Disposing gives it back. */
export class WatchKeys implements Disposable {
  readonly #onKey: (key: WatchKey) => void;
  readonly #take = (bytes: Uint8Array): void => this.#read(new TextDecoder().decode(bytes));
  /** What has been typed of a pattern; `undefined` where none is asked for. */
  #typed: string | undefined;

  constructor(onKey: (key: WatchKey) => void) {
    this.#onKey = onKey;
    if (!process.stdin.isTTY) return;
    process.stdin.setRawMode(true);
    process.stdin.on("data", this.#take);
    process.stdin.resume();
  }

  #read(text: string): void {
    for (const character of text) {
      if (this.#typed !== undefined) this.#type(character, this.#typed);
      else if (character === "p") {
        this.#typed = "";
        process.stdout.write("Part of a test's name, or a regular expression: ");
      } else if (SIMPLE[character] !== undefined) this.#onKey({ kind: SIMPLE[character] });
    }
  }

  #type(character: string, typed: string): void {
    if (character === "\x03" || character === "\x1b") {
      this.#typed = undefined;
      process.stdout.write("\n");
    } else if (character === "\r" || character === "\n") {
      this.#typed = undefined;
      process.stdout.write("\n");
      if (typed !== "") this.#onKey({ kind: "pattern", pattern: typed });
    } else if (character === "\x7f" || character === "\b") {
      if (typed !== "") process.stdout.write("\b \b");
      this.#typed = typed.slice(0, -1);
    } else if (character >= " ") {
      process.stdout.write(character);
      this.#typed = typed + character;
    }
  }

  [Symbol.dispose](): void {
    process.stdin.off("data", this.#take);
    if (!process.stdin.isTTY) return;
    process.stdin.setRawMode(false);
    process.stdin.pause();
  }
}
