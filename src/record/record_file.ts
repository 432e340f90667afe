import { FormatError } from "../errors.ts";
import { type FileLine, fileLines } from "./file_lines.ts";
import { takesLateWork, withLateWork } from "./late_work.ts";
import {
  parseHeaderLine,
  parseLine,
  type RecordFileEnd,
  type RecordHeader,
} from "./record_line.ts";
import type { RunModule, TestRecord } from "./test_record.ts";
import { UnfinishedTests } from "./unfinished_tests.ts";

/** A record file that was read. */
export interface RecordFile {
  /** Its name in the run's folder. */
  readonly name: string;
  /** Absent where its first line is damaged, or of another version: then nothing in it is believed. */
  readonly header?: RecordHeader;
  /** Why it is not read at all, where it is of another version. */
  readonly refused?: FormatError;
  readonly modules: readonly RunModule[];
  /**
   * Those that were written, with their late work, then an `unfinished` one of each test that began and left none,
   * unless that was lost.
   */
  readonly records: readonly TestRecord[];
  /** Lines that cannot be believed. */
  readonly damaged: number;
  /** Absent where its writer did not end: it was killed, or still runs. */
  readonly end?: RecordFileEnd;
}

/**
 * Reads one record file. Lines that are cut or damaged are counted, not believed; so is what is no regular file.
 *
 * @throws The runtime's error where it cannot be read.
 */
export function readRecordFile(directory: string, name: string): RecordFile {
  try {
    return parseRecordFile(name, fileLines(`${directory}/${name}`));
  } catch (error) {
    // Tests may have put something else in its place.
    if (error instanceof TypeError) return { name, modules: [], records: [], damaged: 1 };
    throw error;
  }
}

function parseRecordFile(name: string, fileOfLines: Iterable<FileLine>): RecordFile {
  const records: TestRecord[] = [], modules: RunModule[] = [];
  const unfinished = new UnfinishedTests();
  /** Where among `records` those are that late work can name. */
  const numbered = new Map<number, number>();
  let header: RecordHeader | undefined;
  let end: RecordFileEnd | undefined;
  let damaged = 0, lines = 0;
  for (const { text, ended } of fileOfLines) {
    if (ended && text === "") continue;
    if (lines++ === 0) {
      try {
        header = ended ? parseHeaderLine(text) : undefined;
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        return { name, refused: error, modules, records, damaged: 1 };
      }
      continue;
    }
    if (header === undefined || !ended) {
      damaged++;
      continue;
    }
    try {
      const line = parseLine(text);
      if ("record" in line) {
        if (line.number !== undefined) numbered.set(line.number, records.length);
        records.push(line.record);
        unfinished.end(line.record);
      } else if ("late" in line) {
        const at = numbered.get(line.number);
        // The record's own line was damaged.
        if (at === undefined || !takesLateWork(records[at])) damaged++;
        else records[at] = withLateWork(records[at], line.late);
      } else if ("begun" in line) unfinished.begin(line.begun);
      else if ("module" in line) modules.push(line.module);
      else end = line.end;
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      damaged++;
    }
  }
  if (header === undefined) return { name, modules, records, damaged: Math.max(damaged, 1) };
  // A writer that ended and knows of lost records has said of the others how they ended.
  if (end === undefined || end.lost === 0) records.push(...unfinished.records());
  return { name, header, modules, records, damaged, ...(end === undefined ? {} : { end }) };
}
