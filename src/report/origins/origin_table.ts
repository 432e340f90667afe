import {
  machineOf,
  type OriginPart,
  type OriginRow,
} from "../../coverage/questions/test_origins.ts";
import type { RunCoverage } from "../../coverage/run_coverage.ts";
import { PART_TEXT, rowText } from "./origin_text.ts";
import {
  columnWidth,
  displayWidth,
  fit,
  formatCount,
  pad,
  paint,
  printable,
  type TextStyle,
} from "../text_style.ts";

const NUMBERS = ["functions", "lines", "points"] as const;
const GAP = "  ";
/** Narrowest column of names on a terminal. */
const MIN_NAME_WIDTH = 24;

/** What each call of a test and each kind of work on its behalf ran: functions, lines and points. */
export function originTable(
  coverage: RunCoverage,
  rows: readonly OriginRow[],
  style: TextStyle,
): string[] {
  const machine = machineOf(coverage);
  const cells = rows.map((row) => {
    const { functions, lines, points } = coverage.totalsOf(row.points);
    return {
      part: row.part,
      name: `  ${printable(rowText(machine, row))}`,
      numbers: [functions, lines, points].map(formatCount),
    };
  });
  const widths = NUMBERS.map((heading, i) =>
    Math.max(heading.length, ...cells.map(({ numbers }) => numbers[i].length))
  );
  const names = [...cells.map(({ name }) => name), heading(cells[0]?.part ?? "calls")];
  const room = style.width - widths.reduce((sum, width) => sum + GAP.length + width, 0);
  const nameWidth = Math.min(
    columnWidth(0, names.map(displayWidth)),
    Math.max(MIN_NAME_WIDTH, room),
  );
  const line = (name: string, numbers: readonly string[]): string =>
    [
      pad(style.width === Infinity ? name : fit(name, nameWidth), nameWidth, "left"),
      ...numbers.map((number, i) => pad(number, widths[i], "right")),
    ].join(GAP);
  const lines: string[] = [];
  let part: OriginPart | undefined;
  for (const { part: own, name, numbers } of cells) {
    if (own !== part) {
      // The first heading shares its line with those of the columns.
      const text = part === undefined ? line(heading(own), NUMBERS) : heading(own);
      lines.push(paint(text, "bold", style));
    }
    part = own;
    lines.push(line(name, numbers));
  }
  return lines;
}

function heading(part: OriginPart): string {
  return part === "calls" ? `${PART_TEXT.calls}, in the order of first run` : PART_TEXT[part];
}
