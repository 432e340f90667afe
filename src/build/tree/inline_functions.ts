/** A `static inline` function of a header. Places are in {@linkcode HeaderCode.code}. */
export interface InlineFunction {
  /** Its name; where it has attributes with arguments their names too. */
  readonly names: readonly string[];
  readonly start: number;
  /** Of the brace that opens its body. */
  readonly body: number;
  /** Behind the brace that closes it. */
  readonly end: number;
}

/** A header as the compiler sees it: without comments. */
export interface HeaderCode {
  readonly code: string;
  readonly functions: readonly InlineFunction[];
}

const INLINE = /\bstatic\b[^]*\b(?:inline|__inline|__always_inline)\b|\binline\s+static\b/;

/**
 * Finds the inline functions of a header.
 *
 * @returns `undefined` where braces do not match, as where they stand in branches of `#if`
 */
export function inlineFunctions(text: string): HeaderCode | undefined {
  const code = withoutComments(text);
  // Braces in strings and macros are none of a function's.
  const shape = code.replace(/"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g, blank)
    .replace(/^[ \t]*#(?:[^\n]*\\\n)*[^\n]*/gm, blank);
  const functions: InlineFunction[] = [];
  let depth = 0, declaration = 0, body = 0;
  for (const { 0: token, index } of shape.matchAll(/[{};]/g)) {
    if (token === "{") {
      if (depth++ === 0) body = index;
      continue;
    }
    if (token === "}" && --depth < 0) return undefined;
    if (depth > 0) continue;
    if (token === "}") {
      const end = index + 1;
      const start = declaration + /^\s*/.exec(shape.slice(declaration, body))![0].length;
      const names = namesIn(shape.slice(start, body));
      // Kernel style: where a line begins with a brace its function has ended.
      const isOne = !shape.slice(body, index).includes("\n}");
      if (!isOne && names.length > 0) return undefined;
      if (names.length > 0 && !/^[ \t]*#/m.test(code.slice(start, body))) {
        functions.push({ names, start, body, end });
      }
    }
    declaration = index + 1;
  }
  return depth === 0 ? { code, functions } : undefined;
}

/** What can be the name of the function that a declaration declares; empty where it declares no inline function. */
function namesIn(declaration: string): string[] {
  if (!INLINE.test(declaration) || declaration.includes("=")) return [];
  const names: string[] = [];
  let depth = 0;
  for (const [token, name] of declaration.matchAll(/(\w+)\s*\(|[()]/g)) {
    if (name !== undefined && depth === 0) names.push(name);
    depth += token === ")" ? -1 : 1;
  }
  return names;
}

/**
 * The inline functions whose bodies hold all that differs between two texts of a header. What does not use them compiles
 * to the same code, with the same line numbers.
 *
 * @returns `undefined` where other code differs, or lines have moved
 */
export function changedInlines(before: string, after: string): string[] | undefined {
  const old = inlineFunctions(before), now = inlineFunctions(after);
  if (old === undefined || now === undefined || outside(old) !== outside(now)) return undefined;
  if (old.functions.length !== now.functions.length) return undefined;
  const names: string[] = [];
  for (const [at, { names: own, body, end }] of now.functions.entries()) {
    const bodies = [
      old.code.slice(old.functions[at].body, old.functions[at].end),
      now.code.slice(body, end),
    ];
    if (bodies[0] === bodies[1]) continue;
    // A macro that a body defines is everybody's.
    if (bodies.some((text) => /^[ \t]*#/m.test(text))) return undefined;
    names.push(...own);
  }
  return names;
}

/** A header's code without the bodies of inline functions, of which only the lines are left. */
function outside({ code, functions }: HeaderCode): string {
  const parts: string[] = [];
  let from = 0;
  for (const { body, end } of functions) {
    // The brace tells a body from the text around it.
    parts.push(code.slice(from, body), "{", code.slice(body, end).replace(/[^\n]/g, ""));
    from = end;
  }
  return [...parts, code.slice(from)].join("");
}

/** A comment is a space; its lines stay. */
function withoutComments(text: string): string {
  return text.replace(
    /\/\*[^]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g,
    (found) => found.startsWith("/") ? ` ${found.replace(/[^\n]/g, "")}` : found,
  );
}

function blank(text: string): string {
  return text.replace(/[^\n]/g, " ");
}
