import { lstatSync, readFileSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { FormatError } from "../errors.ts";
import { type FileLine, fileLines } from "../record/file_lines.ts";
import { parseHeaderLine, parseLine, recordLine } from "../record/record_line.ts";
import { recordFiles } from "../record/run_folder.ts";
import type { TestOutcome, TestRecord } from "../record/test_record.ts";
import { parseRunnerReport, type ReportedTest } from "./runner_report.ts";
import { writeWhole } from "../sys/written_files.ts";

/** A report larger than this is of no test runner. */
const MAX_REPORT_BYTES = 1 << 28;

/** A record of a run folder. */
interface PlacedRecord {
  /** Name of its file. */
  readonly holder: string;
  /** Index of its line. */
  readonly line: number;
  readonly record: TestRecord;
  /** What late work names it by. */
  readonly number: number | undefined;
}

/**
 * Gives the records of a run the outcomes that the runner reported: a body that returned may be of a test that failed,
 * by a hook, by what it left running, or by an uncaught error. Removes the report.
 *
 * @param earlier Record files that were there before the runner started.
 * @param report The runner's report; nothing is done where it wrote none.
 * @param wasCut The run was cut short: tests that were running stay unfinished, whatever the runner reports.
 * @throws {Error} The file system's own error.
 */
export function settleOutcomes(
  runDirectory: string,
  earlier: ReadonlySet<string>,
  report: string,
  wasCut = false,
): void {
  const text = takeReport(report);
  if (text === undefined) return;
  const reported = parseRunnerReport(text);
  const holders = recordFiles(runDirectory).filter((name) => !earlier.has(name));
  const lines = new Map(inOrder(holders.map((name) => [name, linesOf(join(runDirectory, name))])));
  const changed = new Set<string>();
  for (
    const { placed: { holder, line, record, number }, outcome } of differing(
      recordsOf(lines),
      reported,
    )
  ) {
    if (wasCut && record.outcome === "unfinished") continue;
    lines.get(holder)![line] = {
      text: recordLine({ ...record, outcome }, number).trimEnd(),
      ended: true,
    };
    changed.add(holder);
  }
  for (const name of changed) writeWhole(join(runDirectory, name), textsOf(lines.get(name)!));
}

/** Lines of a record file; none where a test has replaced the file, or written something else into it. */
function linesOf(path: string): FileLine[] {
  try {
    const lines = [...fileLines(path)];
    return lines.some(({ text, ended }) => !ended && text === "") ? [] : lines;
  } catch (error) {
    if (error instanceof TypeError) return [];
    throw error;
  }
}

/** Files in the order in which they were begun: of tests of one name the first record is the first report's. */
function inOrder(files: [name: string, lines: FileLine[]][]): [string, FileLine[]][] {
  const begun = new Map(files.map(([name, [first]]) => [name, begunAt(first)]));
  return files.sort(([a], [b]) => begun.get(a)! - begun.get(b)!);
}

function begunAt(first: FileLine | undefined): number {
  try {
    return parseHeaderLine(first?.text ?? "")?.startedAt ?? 0;
  } catch (error) {
    if (error instanceof FormatError) return 0; // of another version
    throw error;
  }
}

function* textsOf(lines: readonly FileLine[]): Generator<string> {
  for (const { text, ended } of lines) yield ended ? `${text}\n` : text;
}

function takeReport(path: string): string | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined || stat.isDirectory()) return undefined;
  const text = stat.isFile() && stat.size <= MAX_REPORT_BYTES
    ? readFileSync(path, "utf8")
    : undefined;
  unlinkSync(path);
  return text;
}

function recordsOf(lines: ReadonlyMap<string, readonly FileLine[]>): PlacedRecord[] {
  const found: PlacedRecord[] = [];
  for (const [holder, texts] of lines) {
    for (const [line, { text }] of texts.entries()) {
      try {
        const parsed = parseLine(text);
        if ("record" in parsed) {
          found.push({ holder, line, record: parsed.record, number: parsed.number });
        }
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
      }
    }
  }
  return found;
}

interface Difference {
  readonly placed: PlacedRecord;
  readonly outcome: TestOutcome;
}

/** The records whose outcome is not the runner's. */
function differing(
  records: readonly PlacedRecord[],
  reported: readonly ReportedTest[],
): Difference[] {
  const tests = records.filter(({ record: { kind } }) => kind === undefined || kind === "test");
  const byName = Map.groupBy(tests, ({ record }) => record.name);
  const differences: Difference[] = [];
  for (const [name, cases] of Map.groupBy(reported, (test) => test.name)) {
    for (const [placed, { outcome }] of pairsOfName(byName.get(name) ?? [], cases)) {
      const { outcome: recorded } = placed.record;
      if (outcome === "skipped" || recorded === outcome) continue;
      differences.push({ placed, outcome });
    }
  }
  return differences;
}

/**
 * Records and reports of tests of one name, by their files. Deno reports a test in the file that declares it, which may
 * be a module of the test file that ran it: what is left of both belongs together.
 */
function pairsOfName(
  records: readonly PlacedRecord[],
  reported: readonly ReportedTest[],
): [PlacedRecord, ReportedTest][] {
  const ofFile = Map.groupBy(records, ({ record }) => record.file);
  const found: [PlacedRecord, ReportedTest][] = [];
  const left: ReportedTest[] = [];
  for (const [file, cases] of Map.groupBy(reported, (test) => test.file)) {
    const own = ofFile.get(file);
    ofFile.delete(file);
    if (own === undefined) left.push(...cases);
    else found.push(...pairs(own, cases));
  }
  return [...found, ...pairs([...ofFile.values()].flat(), left)];
}

/** Records and reports of tests of one name: each other's in order, or all records the attempts of one test. */
function pairs(
  own: readonly PlacedRecord[],
  reported: readonly ReportedTest[],
): [PlacedRecord, ReportedTest][] {
  if (own.length === reported.length) return own.map((placed, index) => [placed, reported[index]]);
  const [only, ...others] = reported;
  const last = own.at(-1);
  if (only === undefined || others.length > 0 || last === undefined) return [];
  // Of attempts the last one decides, and of repeats any that failed: an outcome that is there already needs no other.
  const explained = only.outcome === "failed" &&
    own.some(({ record }) => record.outcome === "failed");
  return explained ? [] : [[last, only]];
}
