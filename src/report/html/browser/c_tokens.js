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

/**
 * The parts of C source that have a colour: class, start and end, ascending. No part goes over the end of a line.
 *
 * @param {string} source
 * @returns {{ kind: string, start: number, end: number }[]}
 */
export function cTokens(source) {
  /** @type {{ kind: string, start: number, end: number }[]} */
  const tokens = [];
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(source); match !== null; match = TOKEN.exec(source)) {
    const [text, block, line, string, directive, number] = match;
    const start = match.index;
    if (block !== undefined) addLines(tokens, "comment", text, start);
    else if (string !== undefined) addLines(tokens, "string", text, start);
    else {
      const kind = line !== undefined
        ? "comment"
        : directive !== undefined
        ? "directive"
        : number !== undefined
        ? "constant"
        : nameKind(text, source, start + text.length);
      if (kind !== "") tokens.push({ kind, start, end: start + text.length });
    }
  }
  return tokens;
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
 * @param {{ kind: string, start: number, end: number }[]} tokens
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
