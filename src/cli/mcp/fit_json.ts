/** Lengths that lists are cut to, one after the other, until the whole is short enough. */
const LENGTHS = [1000, 300, 100, 50, 25, 12, 6, 3, 1, 0];

/** A value that was cut until it is short enough. */
export interface FittedJson {
  readonly answer: unknown;
  /** How many entries of each list were left out, in all lists of that name; nothing where it is whole. */
  readonly leftOut?: Readonly<Record<string, number>>;
}

/**
 * Cuts the lists (arrays, and objects that are tables by name) of a value of JSON until its text has at most `most`
 * characters: all to the same length, the longest that fits. What is left out is counted by the place of its list.
 */
export function fitJson(value: unknown, most: number): FittedJson {
  if (lengthOf({ answer: value }) <= most) return { answer: value };
  let fitted: FittedJson = { answer: value };
  for (const length of LENGTHS) {
    const leftOut: Record<string, number> = {};
    fitted = { answer: cut(value, length, "", leftOut), leftOut };
    if (lengthOf(fitted) <= most) break;
  }
  return fitted;
}

function lengthOf(value: unknown): number {
  return JSON.stringify(value).length;
}

function cut(
  value: unknown,
  length: number,
  path: string,
  leftOut: Record<string, number>,
): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    count(value.length - length, path, leftOut);
    return value.slice(0, length).map((item) => cut(item, length, `${path}[]`, leftOut));
  }
  const entries = Object.entries(value);
  const isTable = entries.some(([name]) => !FIELD.test(name));
  const kept = isTable ? length : entries.length;
  count(entries.length - kept, path, leftOut);
  return Object.fromEntries(
    entries.slice(0, kept).map(([name, item]) => {
      const below = isTable ? `${path}[]` : path === "" ? name : `${path}.${name}`;
      return [name, cut(item, length, below, leftOut)];
    }),
  );
}

/** Names of an object's fields; an object with others, such as paths of files, is a table. */
const FIELD = /^[A-Za-z]\w*$/;

function count(left: number, path: string, leftOut: Record<string, number>): void {
  if (left <= 0) return;
  const name = path === "" ? "answer" : path;
  leftOut[name] = (leftOut[name] ?? 0) + left;
}
