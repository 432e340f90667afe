import { inspect } from "node:util";

/**
 * The label of one row of `test.each`, as Bun fills it: `%s`-like places take the row's values in order, `%#` is the
 * row's index, `$name` a property of a row that is an object.
 */
export function eachLabel(label: string, row: unknown, index: number): string {
  const values = Array.isArray(row) ? row : [row];
  let next = 0;
  return label.replace(/%[%sdifjoOp#]|\$[\w$]+(?:\.[\w$]+)*/g, (token) => {
    if (token === "%%") return "%";
    if (token === "%#") return String(index);
    if (token.startsWith("$")) return property(row, token);
    if (next >= values.length) return token;
    return formatted(token, values[next++]);
  });
}

function formatted(token: string, value: unknown): string {
  switch (token) {
    case "%s":
      return String(value);
    case "%d":
    case "%f":
      return String(Number(value));
    case "%i":
      return String(Math.trunc(Number(value)));
    case "%j":
    case "%o":
      return JSON.stringify(value) ?? String(value);
    default:
      return inspect(value);
  }
}

/** The value of `$a.b`, or the token itself where the row has none. */
function property(row: unknown, token: string): string {
  let value: unknown = row;
  for (const key of token.slice(1).split(".")) {
    if (typeof value !== "object" || value === null) return token;
    value = (value as Record<string, unknown>)[key];
  }
  if (value === undefined) return token;
  return typeof value === "string" ? value : inspect(value);
}
