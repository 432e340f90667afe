import { nodeBuiltin } from "../sys/node_builtins.ts";

/**
 * The label of one row of `test.each`, as Bun 1.4 fills it in its reports. A `%` takes the row's next value, where that
 * is of its type: else the two characters stay, and the value counts as taken. Behind the last value all stays as it
 * is. `$a.b` is a property of the row's first value, where that is an object; where it has none, Bun leaves out the
 * character behind the name.
 *
 * @param row An array of values, or the only one.
 * @param index The row's, for `%#`; `undefined` where unknown.
 */
export function eachLabel(label: string, row: unknown, index: number | undefined): string {
  const values = Array.isArray(row) ? row : [row];
  const [first] = values;
  const hasProperties = (typeof first === "object" && first !== null) ||
    typeof first === "function";
  let next = 0;
  let filled = "";
  for (let at = 0; at < label.length; at++) {
    const char = label[at];
    if (char === "$" && hasProperties) {
      const [, path = ""] = /^\$((?:\w+(?:\.\w+)*)?)/.exec(label.slice(at))!;
      const value = /^[A-Za-z_]/.test(path) ? property(first, path) : undefined;
      at += path.length;
      if (value === undefined || value === null) {
        filled += `$${path}`;
        at++;
      } else filled += typeof value === "string" ? value : printed(value);
    } else if (char === "%" && next < values.length && at + 1 < label.length) {
      const type = label[++at];
      if (type === "%") filled += "%";
      else if (type === "#") filled += index ?? "%#";
      else if ("sdfijop".includes(type)) filled += formatted(type, values[next++]);
      else filled += type;
    } else filled += char;
  }
  return filled;
}

function formatted(type: string, value: unknown): string {
  const stays = `%${type}`;
  switch (type) {
    case "s":
      return typeof value === "string" ? value : stays;
    case "d":
    case "f":
      return typeof value === "number" ? String(value) : stays;
    case "i":
      return Number.isSafeInteger(value) && !Object.is(value, -0) ? String(value) : stays;
    case "p":
      return printed(value);
    default:
      return JSON.stringify(value) ?? "";
  }
}

/** As Bun prints values, which is not as Node.js does. */
function printed(value: unknown): string {
  const { Bun } = globalThis as { readonly Bun?: { inspect(value: unknown): string } };
  return Bun === undefined ? nodeBuiltin("node:util").inspect(value) : Bun.inspect(value);
}

function property(value: unknown, path: string): unknown {
  let found: unknown = value;
  for (const key of path.split(".")) {
    if (found === undefined || found === null) return undefined;
    found = (found as Record<string, unknown>)[key];
  }
  return found;
}
