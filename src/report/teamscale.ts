import { machineOf, originContext, originRows } from "../coverage/questions/test_origins.ts";
import type { RunCoverage } from "../coverage/run_coverage.ts";
import { rangesByFile } from "./line_ranges.ts";
import type { PathMode } from "./source_path.ts";
import { rowText } from "./origins/origin_text.ts";
import { testTitle } from "./test_label.ts";
import { plural } from "./text_style.ts";

/** Teamscale's word for each outcome. */
const RESULT = { passed: "PASSED", failed: "FAILURE", unfinished: "ERROR" } as const;

/**
 * Teamscale's testwise coverage: each test with the lines that it ran, by folder and file. A test's uniform path is
 * its file and full name, with its runner where the run has tests of several. Its message says by which system calls it
 * ran how much, where that is known: the format has no place of its own for that. Yields text in parts.
 */
export function* teamscaleReport(
  coverage: RunCoverage,
  options: { paths?: PathMode } = {},
): Generator<string> {
  yield `{"partial":false,"tests":[`;
  for (let test = 0; test < coverage.tests.length; test++) {
    const { record } = coverage.tests[test];
    const folders = new Map<string, { fileName: string; coveredLines: string }[]>();
    const files = rangesByFile(
      coverage.universe,
      coverage.linesOf(test).lines,
      options.paths,
    );
    for (const [path, coveredLines] of Object.entries(files)) {
      const slash = path.lastIndexOf("/");
      const folder = slash < 0 ? "" : path.slice(0, slash);
      const entry = { fileName: path.slice(slash + 1), coveredLines };
      const open = folders.get(folder);
      if (open === undefined) folders.set(folder, [entry]);
      else open.push(entry);
    }
    // A slash in a test's name would open a folder; Teamscale reads `\/` as part of the name.
    const name = testTitle(coverage, test).replaceAll("/", "\\/");
    yield `${test === 0 ? "\n" : ",\n"}${
      JSON.stringify({
        uniformPath: record.file === "" ? name : `${record.file}/${name}`,
        sourcePath: record.file,
        duration: record.durationMs / 1000,
        result: RESULT[record.outcome],
        ...callsMessage(coverage, test),
        paths: [...folders].map(([path, files]) => ({ path, files })),
      })
    }`;
  }
  yield "\n]}\n";
}

function callsMessage(coverage: RunCoverage, test: number): { message?: string } {
  const { origins } = coverage.tests[test];
  if (origins === undefined || origins.length === 0) return {};
  const machine = machineOf(coverage);
  const rows = originRows(origins, "call", originContext(coverage, [test]));
  const counts = rows.map((row) =>
    `${rowText(machine, row)}: ${plural(row.points.length, "point")}`
  );
  return { message: counts.join("\n") };
}
