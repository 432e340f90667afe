import type { RunCoverage } from "../coverage/run_coverage.ts";
import type { LineHits } from "../coverage/line_hits.ts";
import type { Universe } from "../coverage/universe.ts";
import { lcovTestNames } from "./lcov_test_names.ts";
import { type PathMode, sourcePath } from "./source_path.ts";
import { printable } from "./text_style.ts";

/** Options of the LCOV writers. */
export interface LcovOptions {
  /** How `SF` paths are written; `"relative"` to the kernel's root unless given. */
  paths?: PathMode;
  /**
   * 1, the default: `FN` and `FNDA`, which every reader knows. 2: `FNL` and `FNA` with end lines, as lcov 2.2 and
   * later write them; older readers then see no functions.
   */
  dialect?: 1 | 2;
  /** What a line's number says: how often it was executed, or by how many tests. */
  count?: "hits" | "tests";
  /** `"brda"`: lines with some points hit and some not get two branches, one of them not taken. Aggregate only. */
  partial?: "none" | "brda";
}

/** Largest count that every reader holds. */
const MAX_COUNT = 0x7fff_ffff;
/** Name of the record set that holds every line with count 0. */
const BASELINE_NAME = "baseline";
/** Files with more tests than this take readers minutes and gigabytes. */
export const MAX_TESTS_PER_FILE = 300;

/** The counts of one record set; a line with `counts` 0 is uncovered. */
interface RecordSet {
  readonly testName: string;
  /** By line id. */
  readonly counts: Float64Array | Uint32Array;
  /** By line id: points hit, for branches. */
  readonly pointsHit: Uint32Array | undefined;
}

/**
 * The whole run as one tracefile: every line of the universe with its count, every function. Yields text in
 * parts of about one source file each.
 */
export function* lcovAggregate(
  coverage: RunCoverage,
  options: LcovOptions = {},
): Generator<string> {
  const set: RecordSet = {
    testName: "",
    counts: options.count === "tests" ? coverage.lineTests : coverage.lineCount,
    pointsHit: options.partial === "brda" ? coverage.linePointsHit : undefined,
  };
  const writer = new RecordWriter(coverage.universe, options);
  for (let file = 0; file < coverage.universe.image.files.length; file++) {
    const text = writer.wholeFile(file, set);
    if (text !== "") yield text;
  }
}

/**
 * Each test as record sets of its own, after a set named `baseline` that holds every line with count 0: without
 * it, percentages would be of the touched functions only. Of a test, the lines of the functions that it entered
 * are written.
 *
 * @param from First test, an index into `coverage.tests`.
 * @param to Index after the last test; at most {@linkcode MAX_TESTS_PER_FILE} tests make a file readers can open.
 */
export function* lcovPerTest(
  coverage: RunCoverage,
  options: LcovOptions = {},
  from = 0,
  to = coverage.tests.length,
): Generator<string> {
  const { universe } = coverage;
  const writer = new RecordWriter(universe, options);
  const counts = new Float64Array(universe.linePoints.length);
  const baseline: RecordSet = { testName: BASELINE_NAME, counts, pointsHit: undefined };
  for (let file = 0; file < universe.image.files.length; file++) {
    const text = writer.wholeFile(file, baseline);
    if (text !== "") yield text;
  }
  const names = lcovTestNames(coverage.tests.map(({ record }) => record));
  for (let test = from; test < to; test++) {
    const hits = coverage.linesOf(test);
    for (let i = 0; i < hits.lines.length; i++) {
      counts[hits.lines[i]] = options.count === "tests" ? 1 : hits.counts[i];
    }
    const set: RecordSet = { testName: names[test], counts, pointsHit: undefined };
    yield* writer.touchedFunctions(hits, set);
    for (const line of hits.lines) counts[line] = 0;
  }
}

/** The test ranges of the per-test files that hold `tests` tests. */
export function lcovFileRanges(tests: number): { from: number; to: number }[] {
  const ranges: { from: number; to: number }[] = [];
  for (let from = 0; from < tests || from === 0; from += MAX_TESTS_PER_FILE) {
    ranges.push({ from, to: Math.min(tests, from + MAX_TESTS_PER_FILE) });
  }
  return ranges;
}

/** Writes the records of one source file at a time. */
class RecordWriter {
  readonly #universe: Universe;
  readonly #options: LcovOptions;

  constructor(universe: Universe, options: LcovOptions) {
    this.#universe = universe;
    this.#options = options;
  }

  /** The record of `file` with all its lines and functions; empty where it has no line. */
  wholeFile(file: number, set: RecordSet): string {
    const { fileLineStart, functions } = this.#universe;
    const record = new FileRecord(this.#universe, this.#options, set);
    const first = functions.fileGroupStart[file];
    const end = functions.fileGroupStart[file + 1];
    for (let group = first; group < end; group++) record.addGroup(group);
    record.addLines(fileLineStart[file], fileLineStart[file + 1]);
    return record.text(file);
  }

  /** The records of a test, one for each file that it reached, with the functions that own a line it hit. */
  *touchedFunctions(hits: LineHits, set: RecordSet): Generator<string> {
    const { image, fileLineStart, functions } = this.#universe;
    const { lines } = hits;
    for (let i = 0; i < lines.length;) {
      const file = image.lineFile[lines[i]];
      const fileEnd = fileLineStart[file + 1];
      const record = new FileRecord(this.#universe, this.#options, set);
      while (i < lines.length && lines[i] < fileEnd) {
        const group = functions.lineGroup[lines[i]];
        const from = group < 0 ? lines[i] : functions.groupLine[group];
        const to = group < 0 ? lines[i] + 1 : functions.groupLineEnd[group];
        if (group >= 0) record.addGroup(group);
        record.addLines(from, to);
        while (i < lines.length && lines[i] < to) i++;
      }
      yield record.text(file);
    }
  }
}

/** One `SF` … `end_of_record` under construction. */
class FileRecord {
  readonly #universe: Universe;
  readonly #options: LcovOptions;
  readonly #set: RecordSet;
  #declarations = "";
  #calls = "";
  #branches = "";
  #lines = "";
  #functionsFound = 0;
  #functionsHit = 0;
  #groups = 0;
  #branchesFound = 0;
  #branchesHit = 0;
  #linesFound = 0;
  #linesHit = 0;

  constructor(universe: Universe, options: LcovOptions, set: RecordSet) {
    this.#universe = universe;
    this.#options = options;
    this.#set = set;
  }

  addGroup(group: number): void {
    const { image, functions } = this.#universe;
    const start = image.lineNumber[functions.groupLine[group]];
    const count = this.#groupCount(group);
    if (this.#options.dialect === 2) {
      const end = functions.groupLastNumber[group];
      this.#declarations += `FNL:${this.#groups},${start},${end}\n`;
      // lcov 2.2 and later count the groups, not the names.
      this.#functionsFound++;
      if (count > 0) this.#functionsHit++;
    }
    const last = functions.groupStart[group + 1];
    for (let f = functions.groupStart[group]; f < last; f++) {
      const name = printable(functions.name[f]);
      if (this.#options.dialect === 2) {
        this.#declarations += `FNA:${this.#groups},${count},${name}\n`;
        continue;
      }
      this.#declarations += `FN:${start},${name}\n`;
      this.#calls += `FNDA:${count},${name}\n`;
      this.#functionsFound++;
      if (count > 0) this.#functionsHit++;
    }
    this.#groups++;
  }

  /** The count of the first executed line of a group, so that it is positive exactly when a line's count is. */
  #groupCount(group: number): number {
    const { groupLine, groupLineEnd } = this.#universe.functions;
    const { counts } = this.#set;
    const end = groupLineEnd[group];
    for (let line = groupLine[group]; line < end; line++) {
      if (counts[line] !== 0) return Math.min(counts[line], MAX_COUNT);
    }
    return 0;
  }

  addLines(from: number, to: number): void {
    const { image, linePoints } = this.#universe;
    const { counts, pointsHit } = this.#set;
    let text = "";
    for (let line = from; line < to; line++) {
      if (linePoints[line] === 0) continue;
      const count = Math.min(counts[line], MAX_COUNT);
      text += `DA:${image.lineNumber[line]},${count}\n`;
      this.#linesFound++;
      if (count === 0) continue;
      this.#linesHit++;
      if (pointsHit !== undefined && pointsHit[line] < linePoints[line]) {
        const number = image.lineNumber[line];
        this.#branches += `BRDA:${number},0,0,${count}\nBRDA:${number},0,1,0\n`;
        this.#branchesFound += 2;
        this.#branchesHit++;
      }
    }
    this.#lines += text;
  }

  text(file: number): string {
    if (this.#linesFound === 0) return "";
    // A name with a line end would be two lines.
    const path = printable(
      sourcePath(this.#universe.image.files[file], this.#options.paths ?? "relative"),
    );
    const branches = this.#branchesFound === 0
      ? ""
      : `${this.#branches}BRF:${this.#branchesFound}\nBRH:${this.#branchesHit}\n`;
    return `TN:${this.#set.testName}\nSF:${path}\n${this.#declarations}${this.#calls}` +
      `FNF:${this.#functionsFound}\nFNH:${this.#functionsHit}\n${branches}` +
      `${this.#lines}LF:${this.#linesFound}\nLH:${this.#linesHit}\nend_of_record\n`;
  }
}
