import { groupNames } from "../coverage/find_source.ts";
import type { RunCoverage } from "../coverage/run_coverage.ts";
import type { SimilarTest } from "../coverage/similar_tests.ts";
import { soleOwners } from "../coverage/sole_owners.ts";
import { testReference } from "./answer_json.ts";
import { columns } from "./answer_text.ts";
import { rangesByFile } from "./line_ranges.ts";
import { testLabel } from "./test_label.ts";
import {
  formatCount,
  formatPercent,
  paint,
  PLAIN_STYLE,
  plural,
  printable,
  type TextStyle,
} from "./text_style.ts";

/** What one test reached. */
export interface ShownTest {
  readonly test: number;
  /** Functions by file, with the lines hit of those that can be. */
  readonly functions: readonly {
    readonly file: string;
    readonly name: string;
    readonly line: number;
    readonly linesHit: number;
    readonly lines: number;
  }[];
  /** Ids of the lines that only this test hit. */
  readonly unique: Uint32Array;
  readonly similar: readonly SimilarTest[];
}

/** Collects what a test reached. */
export function showTest(
  coverage: RunCoverage,
  test: number,
  similar: readonly SimilarTest[],
): ShownTest {
  const { universe } = coverage;
  const { functions, image, linePoints } = universe;
  const { lines } = coverage.linesOf(test);
  const hit = new Map<number, number>();
  for (const line of lines) {
    const group = functions.lineGroup[line]!;
    if (group >= 0) hit.set(group, (hit.get(group) ?? 0) + 1);
  }
  return {
    test,
    functions: [...hit].sort(([a], [b]) => a - b).map(([group, linesHit]) => {
      let all = 0;
      for (let l = functions.groupLine[group]!; l < functions.groupLineEnd[group]!; l++) {
        if (linePoints[l] !== 0) all++;
      }
      return {
        file: image.files[functions.groupFile[group]!]!,
        name: groupNames(universe, group).join(", "),
        line: image.lineNumber[functions.groupLine[group]!]!,
        linesHit,
        lines: all,
      };
    }),
    unique: soleOwners(coverage).linesOf(test, lines),
    similar,
  };
}

/** What a test reached, as text. */
export function showText(
  coverage: RunCoverage,
  shown: ShownTest,
  style: TextStyle = PLAIN_STYLE,
): string {
  const { record, totals } = coverage.tests[shown.test]!;
  const lines = [
    paint(testLabel(coverage, shown.test), "bold", style),
    `  ${record.outcome} in ${record.durationMs.toFixed(1)} ms; ${
      plural(totals.functions, "function")
    }, ${plural(totals.lines, "line")} (${formatCount(totals.partialLines)} partly), ${
      plural(totals.points, "point")
    }`,
  ];
  let file = "";
  for (const entry of shown.functions) {
    if (entry.file !== file) {
      file = entry.file;
      lines.push(paint(printable(file), "cyan", style));
    }
    lines.push(
      `  ${printable(entry.name)}:${entry.line}  ${entry.linesHit} of ${
        plural(entry.lines, "line")
      } (${formatPercent(entry.linesHit, entry.lines)})`,
    );
  }
  lines.push(
    paint(`Lines that only this test ran: ${formatCount(shown.unique.length)}`, "bold", style),
  );
  const unique = Object.entries(rangesByFile(coverage.universe, shown.unique));
  for (const [path, ranges] of unique) lines.push(`  ${printable(path)}:${ranges}`);
  if (shown.similar.length > 0) {
    lines.push(paint("Most similar tests", "bold", style));
    lines.push(
      ...columns(shown.similar.map(({ test, similarity }) => [
        testLabel(coverage, test),
        `${(100 * similarity).toFixed(1)} %`,
      ])),
    );
  }
  return `${lines.join("\n")}\n`;
}

/** What a test reached, for JSON. */
export function showJson(coverage: RunCoverage, shown: ShownTest): unknown {
  const { record, totals, points } = coverage.tests[shown.test]!;
  return {
    ...testReference(coverage, shown.test),
    outcome: record.outcome,
    durationMs: record.durationMs,
    truncated: record.truncated,
    shared: record.shared,
    totals,
    unresolved: points.unresolved,
    files: rangesByFile(coverage.universe, coverage.linesOf(shown.test).lines),
    functions: shown.functions,
    uniqueLines: rangesByFile(coverage.universe, shown.unique),
    similar: shown.similar.map(({ test, similarity }) => ({
      ...testReference(coverage, test),
      similarity,
    })),
  };
}
