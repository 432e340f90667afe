import { type HeaderCode, inlineFunctions } from "./inline_functions.ts";

/**
 * Finds the files that use inline functions: that have the name of one in code which is compiled wherever the file is. An
 * inline function that uses one is itself looked for in place of that.
 *
 * Where a macro can put a name together of a part of its own and an argument it cannot be told. Names that are put together
 * of arguments alone are not seen.
 *
 * @param texts of all files that are compiled with the functions' headers, by name
 * @returns `undefined` where it cannot be told
 */
export function inlineUsers(
  names: readonly string[],
  texts: ReadonlyMap<string, string>,
): Set<string> | undefined {
  const headers = new Map<string, HeaderCode | undefined>();
  const headerOf = (file: string, text: string): HeaderCode | undefined => {
    if (!headers.has(file)) headers.set(file, inlineFunctions(text));
    return headers.get(file);
  };
  const users = new Set<string>();
  const pasted = pastedParts(texts.values());
  const isWord = (word: string): boolean => {
    const whole = wholeWord(word);
    for (const text of texts.values()) if (text.includes(word) && whole.test(text)) return true;
    return false;
  };
  const wanted = new Set(names);
  // Names are added meanwhile.
  for (const name of wanted) {
    if (canBePasted(name, pasted, isWord)) return undefined;
    const word = wholeWord(name);
    for (const [file, text] of texts) {
      if (users.has(file) || !text.includes(name) || !word.test(text)) continue;
      const header = file.endsWith(".h") ? headerOf(file, text) : undefined;
      if (header === undefined) users.add(file);
      else {
        const { isUsed, by } = usesIn(header, name, word);
        if (isUsed) users.add(file);
        for (const other of by) wanted.add(other);
      }
    }
  }
  return users;
}

/** Whether a header's own code has a name, and which inline functions have it. */
function usesIn(
  { code, functions }: HeaderCode,
  name: string,
  word: RegExp,
): { isUsed: boolean; by: string[] } {
  const by: string[] = [];
  let from = 0, isUsed = false;
  for (const { names, start, end } of functions) {
    isUsed ||= word.test(code.slice(from, start));
    if (!names.includes(name) && word.test(code.slice(start, end))) by.push(...names);
    from = end;
  }
  return { isUsed: isUsed || word.test(code.slice(from)), by };
}

function wholeWord(word: string): RegExp {
  return new RegExp(`(?<!\\w)${word}(?!\\w)`);
}

interface PastedParts {
  readonly first: ReadonlySet<string>;
  readonly last: ReadonlySet<string>;
}

/** The words that macros put before and behind others with `##`, without their parameters. */
function pastedParts(texts: Iterable<string>): PastedParts {
  const first = new Set<string>(), last = new Set<string>();
  for (const text of texts) {
    if (!text.includes("##")) continue;
    for (
      const [, list, body] of text.matchAll(
        /^[ \t]*#[ \t]*define[ \t]+\w+\(([^)]*)\)((?:[^\n]*\\\n)*[^\n]*)/gm,
      )
    ) {
      if (!body.includes("##")) continue;
      const parameters = new Set(list.match(/\w+/g));
      for (const [, word] of body.matchAll(/(\w+)\s*##/g)) {
        if (!parameters.has(word)) first.add(word);
      }
      for (const [, word] of body.matchAll(/##\s*(\w+)/g)) {
        if (!parameters.has(word)) last.add(word);
      }
    }
  }
  return { first, last };
}

/** Whether a part of a macro's and a word that is somewhere, or is put together itself, make a name. */
function canBePasted(
  name: string,
  { first, last }: PastedParts,
  isWord: (word: string) => boolean,
): boolean {
  const isKnown = (rest: string): boolean =>
    isWord(rest) || canBePasted(rest, { first, last }, isWord);
  for (let at = 1; at < name.length; at++) {
    const start = name.slice(0, at), end = name.slice(at);
    if (first.has(start) && isKnown(end) || last.has(end) && isKnown(start)) return true;
  }
  return false;
}
