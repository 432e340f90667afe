import type { TestReference } from "../report/answer_json.ts";
import type { Runner } from "./runner.ts";

/**
 * Arguments that make a runner run the given tests, quoted for a shell or `xargs`: the test files and one pattern.
 * Empty for no tests.
 */
export function runnerFilter(runner: Runner, tests: readonly TestReference[]): string {
  return filterArguments(runner, tests).map(quote).join(" ");
}

/** {@linkcode runnerFilter}, as arguments. */
export function filterArguments(runner: Runner, tests: readonly TestReference[]): string[] {
  if (tests.length === 0) return [];
  const names = new Set(tests.map(({ name }) => runner.filterName(name)));
  const pattern = `^(?:${[...names].map(escapePattern).join("|")})$`;
  const files = [...new Set(tests.map(({ file }) => file))].filter((file) => file !== "");
  return [...runner.filterArguments(pattern), ...files];
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")
    // So that a name with a line end is one argument, and one with an escape drives no terminal.
    .replace(/[\p{Cc}\p{Cf}]/gu, (character) => {
      const code = character.charCodeAt(0).toString(16);
      if (character.length > 1) return character;
      return code.length > 2 ? `\\u${code.padStart(4, "0")}` : `\\x${code.padStart(2, "0")}`;
    });
}

/** Single quotes hold everything but themselves, for a shell and for xargs. */
function quote(text: string): string {
  return /^[\w./@%+=:,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'"'"'`)}'`;
}
