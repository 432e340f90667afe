import type { RunCoverage } from "../coverage/run_coverage.ts";
import { addTotals, type FileTotals, fileTotals, noTotals, type Totals } from "./file_totals.ts";
import { formatRanges } from "./line_ranges.ts";
import {
  columnWidth,
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
  /** A line also for each file that no test reached; false unless given, since a kernel has thousands. */
  readonly all?: boolean;
}

/** Shares from which a number is shown as good, and below which as bad, as lcov and istanbul have them. */
const GOOD = 0.8;
const POOR = 0.5;

/** The files that a table is about: its sums are of all of them, whichever it shows. */
function chosenFiles(coverage: RunCoverage, { only }: TableOptions): FileTotals[] {
  const files = fileTotals(coverage);
  if (only === undefined) return files;
  const places = only.map((place) => place.replace(/^(?:\.\/)+|\/+$/g, ""));
  const isIn = (path: string, place: string): boolean =>
    place === "" || path === place || path.startsWith(`${place}/`);
  const empty = places.findIndex((place) => !files.some(({ path }) => isIn(path, place)));
  if (empty >= 0) {
    throw new RangeError(
      `The image has no file with coverage points in "${
        only[empty]
      }": name a folder or file below the kernel's root`,
    );
  }
  return files.filter(({ path }) => places.some((place) => isIn(path, place)));
}

function sumOf(files: readonly Totals[]): Totals {
  const sum = noTotals();
  for (const file of files) addTotals(sum, file);
  return sum;
}

/**
 * A line per file with the lines that no test runs, as `bun test --coverage` prints it. The first line is the sum of
 * all files; those that no test reached have no line of their own unless `all` asks for them.
 *
 * @throws {RangeError} Where a path of `only` has no file.
 */
export function fileTable(
  coverage: RunCoverage,
  options: TableOptions = {},
  style: TextStyle = PLAIN_STYLE,
): string {
  const files = chosenFiles(coverage, options);
  const shown = options.all ? files : files.filter(({ linesHit }) => linesHit > 0);
  const nameWidth = columnWidth(9, shown.map(({ path }) => displayWidth(printable(path))));
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
  const room = style.width - nameWidth - 25;
  const lines = [
    rule,
    `${pad("File", nameWidth, "left")} | % Funcs | % Lines | Uncovered Line #s`,
    rule,
    row("All files", sumOf(files), ""),
    ...shown.map((file) => {
      const uncovered = formatRanges(uncoveredLines(coverage, file.file));
      return row(printable(file.path), file, fit(uncovered, Math.max(room, 12)));
    }),
    rule,
  ];
  return `${lines.join("\n")}\n${notShown(files.length - shown.length)}`;
}

/** Says that the sums are of more files than have a line. */
function notShown(files: number): string {
  return files === 0
    ? ""
    : `All files are counted; ${plural(files, "file")} that no test reached ${
      files === 1 ? "has" : "have"
    } no line here: --all shows all\n`;
}

function uncoveredLines({ universe, lineHit }: RunCoverage, file: number): number[] {
  const numbers: number[] = [];
  const end = universe.fileLineStart[file + 1];
  for (let line = universe.fileLineStart[file]; line < end; line++) {
    if (universe.linePoints[line] !== 0 && lineHit[line] === 0) {
      numbers.push(universe.image.lineNumber[line]);
    }
  }
  return numbers;
}

function share(hit: number, found: number, style: TextStyle): string {
  const rate = found === 0 ? 1 : hit / found;
  // As everywhere: never rounded to all or to nothing.
  const percent = hit === 0 || hit === found
    ? 100 * rate
    : Math.min(99.99, Math.max(0.01, 100 * rate));
  const text = pad(found === 0 ? "-" : percent.toFixed(2), 7, "right");
  return paint(text, rate >= GOOD ? "green" : rate < POOR ? "red" : "yellow", style);
}

interface Folder {
  readonly name: string;
  readonly totals: Totals;
  files: number;
  readonly children: Map<string, Folder>;
}

/**
 * A tree of folders and files with functions and lines; a folder with one folder in it shares its line. A folder's
 * numbers are of all its files: those that no test reached are one line of it, unless `all` asks for each.
 *
 * @throws {RangeError} Where a path of `only` has no file.
 */
export function coverageTree(
  coverage: RunCoverage,
  options: TableOptions = {},
  style: TextStyle = PLAIN_STYLE,
): string {
  const files = chosenFiles(coverage, options);
  const root: Folder = { name: "", totals: noTotals(), files: 0, children: new Map() };
  for (const file of files) {
    let folder = root;
    addFile(root, file);
    for (const part of file.path.split("/")) {
      let next = folder.children.get(part);
      if (next === undefined) {
        next = { name: part, totals: noTotals(), files: 0, children: new Map() };
        folder.children.set(part, next);
      }
      addFile(next, file);
      folder = next;
    }
  }
  const rows: { label: string; totals: Totals }[] = [];
  const walk = (folder: Folder, indent: string): void => {
    const unreached: Folder[] = [];
    for (const child of [...folder.children.values()].sort((a, b) => a.name < b.name ? -1 : 1)) {
      if (child.totals.linesHit === 0 && !options.all) {
        unreached.push(child);
        continue;
      }
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
    if (unreached.length > 0) {
      const count = unreached.reduce((sum, { files }) => sum + files, 0);
      rows.push({
        label: `${indent}(${plural(count, "file")} not reached)`,
        totals: sumOf(unreached.map(({ totals }) => totals)),
      });
    }
  };
  walk(root, "");
  rows.push({ label: "all files", totals: root.totals });
  const width = columnWidth(0, rows.map(({ label }) => displayWidth(label)));
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
  return `${paint(heading, "bold", style)}\n${lines.join("\n")}\n`;
}

function addFile(folder: Folder, file: FileTotals): void {
  addTotals(folder.totals, file);
  folder.files++;
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
