/** How text is laid out for the place it goes to. */
export interface TextStyle {
  /** Whether to write ANSI colours. */
  readonly color: boolean;
  /** Columns of the terminal; `Infinity` for a file or a pipe, where nothing is shortened. */
  readonly width: number;
}

/** Style of a file or a pipe: no colours, nothing shortened. */
export const PLAIN_STYLE: TextStyle = { color: false, width: Infinity };

/** The terminal as the caller found it. */
export interface TerminalFacts {
  readonly isTerminal: boolean;
  readonly columns?: number | undefined;
  /** The environment variables. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The style for a terminal: colours unless `NO_COLOR` is set and not empty, or `TERM` is `dumb`. */
export function textStyle({ isTerminal, columns, env }: TerminalFacts): TextStyle {
  if (!isTerminal) return PLAIN_STYLE;
  const noColor = (env.NO_COLOR ?? "") !== "" || env.TERM === "dumb";
  return { color: !noColor, width: columns !== undefined && columns > 0 ? columns : 80 };
}

/** ANSI codes by meaning. */
const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

/** `text` in a colour, or as it is where the style has none. */
export function paint(text: string, color: keyof typeof CODES, style: TextStyle): string {
  return style.color && text !== "" ? `\x1b[${CODES[color]}m${text}\x1b[0m` : text;
}

/** Columns that `text`, which holds no escape sequences, takes on a terminal. */
export function displayWidth(text: string): number {
  // ASCII, the common case, needs no look at each character.
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const character of text) {
    if (/^[\p{M}\u200b-\u200d\ufe00-\ufe0f]/u.test(character)) continue;
    width += isWide(character) ? 2 : 1;
  }
  return width;
}

/** East Asian wide characters and emoji. */
function isWide(character: string): boolean {
  return /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|^\p{Emoji_Presentation}/u
    .test(character);
}

/** Makes text from outside safe to print: control characters, which could drive a terminal, become `\u{…}`. */
export function printable(text: string): string {
  return text.replace(
    /\p{Cc}|\p{Cf}/gu,
    (character) =>
      character === "\u200d" ? character : `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
}

/** `text` cut to `width` columns, with `…` where something was cut. */
export function fit(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let out = "";
  let used = 0;
  for (const character of text) {
    const wide = displayWidth(character);
    if (used + wide > width - 1) break;
    out += character;
    used += wide;
  }
  return `${out}…`;
}

/** `text` padded with spaces to `width` columns. */
export function pad(text: string, width: number, side: "left" | "right"): string {
  const spaces = " ".repeat(Math.max(0, width - displayWidth(text)));
  return side === "left" ? text + spaces : spaces + text;
}

/** Wider cells stand out of their column, so that one long name does not pad every row. */
const MAX_COLUMN = 100;

/** Width of a column whose cells have the given widths: `least` or more, and not more than 100 for a few wide cells. */
export function columnWidth(least: number, widths: Iterable<number>): number {
  let width = least;
  for (const cell of widths) width = Math.max(width, Math.min(cell, MAX_COLUMN));
  return width;
}

/** A whole number with a comma between thousands, the same in every locale. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** A share in percent with one decimal; never rounded to 100 or to 0 when it is not. */
export function formatPercent(part: number, whole: number): string {
  if (whole === 0) return "-";
  if (part === whole) return "100 %";
  if (part === 0) return "0 %";
  const share = Math.min(99.9, Math.max(0.1, (100 * part) / whole));
  return `${share.toFixed(1)} %`;
}

/** `1 test`, `2 tests`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}
