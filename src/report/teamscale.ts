import type { RunCoverage } from "../coverage/run_coverage.ts";
import { rangesByFile } from "./line_ranges.ts";
import type { PathMode } from "./source_path.ts";
import { testTitle } from "./test_label.ts";

/** Teamscale's word for each outcome. */
const RESULT = { passed: "PASSED", failed: "FAILURE", unfinished: "ERROR" } as const;

/**
 * Teamscale's testwise coverage: each test with the lines that it ran, by folder and file. A test's uniform path is
 * its file and full name, with its runner where the run has tests of several. Yields text in parts.
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
        paths: [...folders].map(([path, files]) => ({ path, files })),
      })
    }`;
  }
  yield "\n]}\n";
}
