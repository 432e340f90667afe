import { readFileSync, writeFileSync } from "node:fs";
import { FormatError } from "../../src/errors.ts";

const DOCUMENT = new URL("../../docs/accuracy.md", import.meta.url);

/** A table: heads, then rows of as many cells. */
export type Table = readonly (readonly string[])[];

/**
 * Puts text into the part of docs/accuracy.md between `<!-- NAME -->` and `<!-- /NAME -->`.
 *
 * @throws {FormatError} The document has no such part.
 */
export function writeAccuracy(name: string, text: string): void {
  const document = readFileSync(DOCUMENT, "utf8");
  const begin = `<!-- ${name} -->\n`, end = `<!-- /${name} -->\n`;
  const from = document.indexOf(begin), to = document.indexOf(end);
  if (from < 0 || to < from) {
    throw new FormatError("Markdown", `docs/accuracy.md has no part ${name}: add its two comments`);
  }
  const before = document.slice(0, from + begin.length);
  writeFileSync(DOCUMENT, `${before}\n${text.trim()}\n\n${document.slice(to)}`);
}

/** A table in Markdown; numbers to the right. */
export function markdownTable([heads, ...rows]: Table): string {
  const rule = heads.map((_, column) => column === 0 ? "---" : "---:");
  return [heads, rule, ...rows].map((row) => `| ${row.join(" | ")} |\n`).join("");
}

/** A table in columns of plain text. */
export function plainTable(rows: Table): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) => {
    const cells = row.map((cell, at) =>
      at === 0 ? cell.padEnd(widths[at]) : cell.padStart(widths[at])
    );
    return `${cells.join("  ")}\n`;
  }).join("");
}
