import type { RunCoverage } from "../coverage/run_coverage.ts";
import { addTotals, type FileTotals, fileTotals, noTotals, type Totals } from "./file_totals.ts";
import { formatRanges } from "./line_ranges.ts";
import {
  displayWidth,
  fit,
  formatCount,
  formatPercent,
  pad,
  paint,
  PLAIN_STYLE,
  plural,
  printable,
  type TextStyle,
} from "./text_style.ts";

/** Which files a table shows. */
export interface TableOptions {
  /** Only files below these folders, or these files; all unless given. */
  readonly only?: readonly string[];
  /** Also files that no test reached; false unless given, since a kernel has thousands. */
  readonly all?: boolean;
}

/** Shares from which a number is shown as good, and below which as bad, as lcov and istanbul have them. */
const GOOD = 0.8;
const POOR = 0.5;

function selected(coverage: RunCoverage, { only, all }: TableOptions): FileTotals[] {
  return fileTotals(coverage).filter((file) =>
    (all === true || file.linesHit > 0) &&
    (only === undefined ||
      only.some((folder) =>
        file.path === folder || file.path.startsWith(folder.endsWith("/") ? folder : `${folder}/`)
      ))
  );
}

/**
 * A line per file with the lines that no test runs, as `bun test --coverage` prints it. Files that no test reached
 * are summed up in one line unless `all` asks for them.
 */
export function fileTable(
  coverage: RunCoverage,
  options: TableOptions = {},
  style: TextStyle = PLAIN_STYLE,
): string {
  const files = selected(coverage, options);
  const nameWidth = Math.max(9, ...files.map(({ path }) => displayWidth(printable(path))));
  const rule = `${"-".repeat(nameWidth + 1)}|---------|---------|-------------------`;
  const row = (name: string, totals: Totals, uncovered: string): string => {
    const cells = [
      pad(name, nameWidth, "left"),
      share(totals.functionsHit, totals.functions, style),
      share(totals.linesHit, totals.lines, style),
      uncovered,
    ];
    return cells.join(" | ").trimEnd();
  };
  const sum = noTotals();
  files.forEach((file) => addTotals(sum, file));
  const room = style.width - nameWidth - 25;
  const lines = [
    rule,
    `${pad("File", nameWidth, "left")} | % Funcs | % Lines | Uncovered Line #s`,
    rule,
    row("These files", sum, ""),
    ...files.map((file) => {
      const uncovered = formatRanges(uncoveredLines(coverage, file.file));
      return row(printable(file.path), file, fit(uncovered, Math.max(room, 12)));
    }),
    rule,
  ];
  return `${lines.join("\n")}\n${leftOut(coverage, files)}`;
}

/** How many files the table leaves out, so that its total is not taken for the kernel's. */
function leftOut(coverage: RunCoverage, shown: readonly FileTotals[]): string {
  const all = fileTotals(coverage);
  if (shown.length === all.length) return "";
  const hidden = noTotals();
  const inTable = new Set(shown.map(({ file }) => file));
  all.filter(({ file }) => !inTable.has(file)).forEach((file) => addTotals(hidden, file));
  return `${plural(all.length - shown.length, "other file")} with ${
    plural(hidden.lines, "line")
  } (${formatCount(hidden.linesHit)} hit) are not shown\n`;
}

function uncoveredLines({ universe, lineTests }: RunCoverage, file: number): number[] {
  const numbers: number[] = [];
  const end = universe.fileLineStart[file + 1]!;
  for (let line = universe.fileLineStart[file]!; line < end; line++) {
    if (universe.linePoints[line] !== 0 && lineTests[line] === 0) {
      numbers.push(universe.image.lineNumber[line]!);
    }
  }
  return numbers;
}

function share(hit: number, found: number, style: TextStyle): string {
  const rate = found === 0 ? 1 : hit / found;
  const text = pad(found === 0 ? "-" : (100 * rate).toFixed(2), 7, "right");
  return paint(text, rate >= GOOD ? "green" : rate < POOR ? "red" : "yellow", style);
}

interface Folder {
  readonly name: string;
  readonly totals: Totals;
  readonly children: Map<string, Folder>;
}

/** A tree of folders and files with functions and lines; a folder with one folder in it shares its line. */
export function coverageTree(
  coverage: RunCoverage,
  options: TableOptions = {},
  style: TextStyle = PLAIN_STYLE,
): string {
  const files = selected(coverage, options);
  const root: Folder = { name: "", totals: noTotals(), children: new Map() };
  for (const file of files) {
    let folder = root;
    addTotals(root.totals, file);
    for (const part of file.path.split("/")) {
      let next = folder.children.get(part);
      if (next === undefined) {
        next = { name: part, totals: noTotals(), children: new Map() };
        folder.children.set(part, next);
      }
      addTotals(next.totals, file);
      folder = next;
    }
  }
  const rows: { label: string; totals: Totals }[] = [];
  const walk = (folder: Folder, indent: string): void => {
    for (const child of [...folder.children.values()].sort((a, b) => a.name < b.name ? -1 : 1)) {
      let open = child;
      let label = printable(child.name);
      while (open.children.size === 1) {
        const [only] = open.children.values();
        if (only!.children.size === 0) break;
        open = only!;
        label += `/${printable(open.name)}`;
      }
      rows.push({
        label: `${indent}${label}${open.children.size > 0 ? "/" : ""}`,
        totals: open.totals,
      });
      walk(open, `${indent}  `);
    }
  };
  walk(root, "");
  rows.push({ label: "these files", totals: root.totals });
  const width = Math.max(...rows.map(({ label }) => displayWidth(label)));
  const cell = (hit: number, found: number): string =>
    pad(`${formatCount(hit)}/${formatCount(found)}`, 15, "right");
  const lines = rows.map(({ label, totals }) =>
    `${pad(label, width, "left")}  ${cell(totals.functionsHit, totals.functions)}  ` +
    `${cell(totals.linesHit, totals.lines)}  ${
      pad(formatPercent(totals.linesHit, totals.lines), 7, "right")
    }  ${bar(totals, style)}`
  );
  const heading = `${pad("", width, "left")}  ${pad("functions", 15, "right")}  ${
    pad("lines", 15, "right")
  }`;
  return `${paint(heading, "bold", style)}\n${lines.join("\n")}\n${leftOut(coverage, files)}`;
}

/** Ten cells: whole lines hit, lines hit in part, the rest. */
function bar({ lines, linesHit, linesPartial }: Totals, style: TextStyle): string {
  const cells = (part: number): number => lines === 0 ? 0 : Math.round((10 * part) / lines);
  const hit = cells(linesHit);
  const whole = Math.min(hit, cells(linesHit - linesPartial));
  return paint("█".repeat(whole), "green", style) +
    paint("▒".repeat(hit - whole), "yellow", style) +
    paint("·".repeat(10 - hit), "dim", style);
}
