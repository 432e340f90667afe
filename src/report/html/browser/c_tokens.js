// @ts-check

const KEYWORDS = new Set(
  ("auto break case const continue default do else enum extern for goto if inline register restrict return sizeof " +
    "static struct switch typedef typeof union volatile while __always_inline __init __exit __user __iomem __rcu " +
    "__percpu __must_check __maybe_unused __read_mostly __initdata __ro_after_init asm __asm__ __volatile__ noinline " +
    "__attribute__ __typeof__ _Static_assert static_assert").split(" "),
);
const TYPES = new Set(
  ("void char short int long float double signed unsigned bool _Bool u8 u16 u32 u64 s8 s16 s32 s64 __u8 __u16 __u32 " +
    "__u64 __s8 __s16 __s32 __s64 __le16 __le32 __le64 __be16 __be32 __be64").split(" "),
);

/** Comment; string or character; preprocessor directive; number; name. All else needs no colour. */
const TOKEN =
  /(\/\*[^]*?(?:\*\/|(?![^])))|(\/\/[^\n]*)|((?:"(?:[^"\\\n]|\\[^])*"?)|(?:'(?:[^'\\\n]|\\[^])*'?))|(^[ \t]*#[ \t]*\w+(?:[ \t]*<[^>\n]*>)?)|(\b\d[\w.]*)|([A-Za-z_]\w*)/gm;

/** @typedef {{ kind: string, start: number, end: number }} Token */

/** Finds the parts of C source that have a colour, as far as they are asked for. */
export class CTokens {
  /** @type {Token[]} */
  #tokens = [];
  /** @type {string} */
  #source;
  /** Where the search goes on. */
  #at = 0;

  /** @param {string} source */
  constructor(source) {
    this.#source = source;
  }

  /**
   * The tokens that start before `end`, ascending, and maybe some after it. None goes over the end of a line.
   *
   * @param {number} end
   * @returns {readonly Token[]}
   */
  upTo(end) {
    while (this.#at < end) {
      TOKEN.lastIndex = this.#at;
      const match = TOKEN.exec(this.#source);
      this.#at = match === null ? Infinity : TOKEN.lastIndex;
      if (match !== null) this.#add(match);
    }
    return this.#tokens;
  }

  /** @param {RegExpExecArray} match */
  #add({ 0: text, 1: block, 2: line, 3: string, 4: directive, 5: number, index: start }) {
    if (block !== undefined) addLines(this.#tokens, "comment", text, start);
    else if (string !== undefined) addLines(this.#tokens, "string", text, start);
    else {
      const kind = line !== undefined
        ? "comment"
        : directive !== undefined
        ? "directive"
        : number !== undefined
        ? "constant"
        : nameKind(text, this.#source, start + text.length);
      if (kind !== "") this.#tokens.push({ kind, start, end: start + text.length });
    }
  }
}

/**
 * @param {string} name
 * @param {string} source
 * @param {number} end
 */
function nameKind(name, source, end) {
  if (KEYWORDS.has(name)) return "keyword";
  if (TYPES.has(name) || name.endsWith("_t")) return "type";
  if (source[end] === "(") return "call";
  if (name.length > 1 && name === name.toUpperCase()) return "constant";
  return "";
}

/**
 * @param {Token[]} tokens
 * @param {string} kind
 * @param {string} text
 * @param {number} start
 */
function addLines(tokens, kind, text, start) {
  for (let at = 0; at < text.length;) {
    const newline = text.indexOf("\n", at);
    const end = newline < 0 ? text.length : newline;
    if (end > at) tokens.push({ kind, start: start + at, end: start + end });
    at = end + 1;
  }
}
