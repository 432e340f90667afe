import { lineAtOrAfter } from "../questions/find_source.ts";
import type { TestLookup } from "../questions/test_lookup.ts";
import { repeatIndex } from "../repeat_index.ts";
import {
  type HunkPlace,
  type PatchSide,
  patchSide,
  placeHunks,
  type SourcedPatch,
} from "./hunk_places.ts";
import { type FilePatch, type Hunk, isTrivialText } from "./patch.ts";
import { type FileJudgement, judgeFile } from "./patch_files.ts";
import { type PatchAnswer, whichPatch } from "./patch_tests.ts";
import { touchedLines } from "./touched_lines.ts";

/**
 * What became of a changed line. `covered`: a test runs it; `partial`: some of its coverage points; `uncovered`;
 * `no-code`: no point claims it, so it is a declaration, the rest of a statement, or left out by the configuration;
 * `not-instrumented`: its file is in the kernel, without coverage points; `not-built`: its file is not in the kernel;
 * `unjudged`: it can change anything, such as a macro or a build file.
 */
export type ChangedLineState =
  | "covered"
  | "partial"
  | "uncovered"
  | "no-code"
  | "not-instrumented"
  | "not-built"
  | "unjudged";

/** A line that a patch changes, comments and blank lines apart. */
export interface ChangedLine {
  /** In the kernel's source; 0 where the file is not in it. */
  readonly line: number;
  /** Where a reader of the new file finds it. */
  readonly newLine: number;
  readonly text: string;
  readonly state: ChangedLineState;
  /** Number of tests that run it. */
  readonly tests: number;
  /** It is not changed, but next to lines that are inserted and that this kernel does not have. */
  readonly beside: boolean;
}

/** The changed lines of a file. */
export interface FileVerdict {
  /** Of the new file; of the old one where it is deleted. */
  readonly path: string;
  /** Index into the image's files; -1 where it has no lines there. */
  readonly file: number;
  /** Why its lines cannot be looked up; empty where they can. */
  readonly reason: string;
  /** The source at hand does not hold all of its hunks, so that line numbers are a guess. */
  readonly uncertain: boolean;
  readonly lines: readonly ChangedLine[];
}

/** Changed lines by what became of them. */
export type LineCounts = Readonly<Record<ChangedLineState, number>>;

/** What a run says of a patch. */
export interface PatchVerdict {
  /** `new`: the kernel was built with the patch; `old`: without it, so that the lines are those that it replaces. */
  readonly side: PatchSide;
  /** False where neither an option nor the kernel's sources say which side it is. */
  readonly sideKnown: boolean;
  readonly files: readonly FileVerdict[];
  readonly counts: LineCounts;
  /** The tests of the run that the patch needs. */
  readonly answer: PatchAnswer;
}

/** Options of {@linkcode judgePatch}. */
export interface PatchVerdictOptions {
  /** Side that the image was built from; found from the sources, else `"old"`. */
  readonly side?: PatchSide | undefined;
  /** Lines of a source file of the image, where the sources are available. */
  source?(file: string): readonly string[] | undefined;
}

/** Judges the lines of a patch by what the tests of a run cover. */
export function judgePatch(
  lookup: TestLookup,
  patch: readonly FilePatch[],
  options: PatchVerdictOptions = {},
): PatchVerdict {
  const { universe } = lookup.coverage;
  const judged = patch.map((change) => {
    const judgement = judgeFile(universe, change);
    const source = judgement.kind === "source"
      ? options.source?.(universe.image.files[judgement.file])
      : undefined;
    return { change, judgement, source };
  });
  const found = options.side ?? patchSide(judged);
  const side = found ?? "old";
  const files = judged.map((file) => new FileJudge(lookup, file, side).judge());
  const counts = noLines();
  for (const { lines } of files) for (const { state } of lines) counts[state]++;
  const source = options.source === undefined ? {} : { source: options.source };
  const answer = whichPatch(lookup, patch, { ...source, side });
  const sideKnown = found !== undefined ||
    judged.every(({ judgement }) => judgement.kind !== "source");
  return { side, sideKnown, files, counts, answer };
}

/** The lines that can be covered, and those of them that are. */
export function patchShare(counts: LineCounts): { lines: number; covered: number } {
  const covered = counts.covered + counts.partial;
  return { lines: covered + counts.uncovered, covered };
}

/**
 * Whether the share of covered lines is large enough. Where no line can be covered it is only if no code was changed:
 * code that the kernel does not have, or has without points, has not been tested.
 */
export function meetsShare(counts: LineCounts, percent: number): boolean {
  const { lines, covered } = patchShare(counts);
  if (lines > 0) return 100 * covered >= percent * lines;
  return percent === 0 || counts["not-built"] + counts["not-instrumented"] === 0;
}

interface JudgedFile extends SourcedPatch {
  readonly judgement: FileJudgement;
}

function noLines(): Record<ChangedLineState, number> {
  return {
    covered: 0,
    partial: 0,
    uncovered: 0,
    "no-code": 0,
    "not-instrumented": 0,
    "not-built": 0,
    unjudged: 0,
  };
}

/** Finds what became of the changed lines of one file. */
class FileJudge {
  readonly #lookup: TestLookup;
  readonly #file: JudgedFile;
  readonly #side: PatchSide;
  readonly #lines: ChangedLine[] = [];
  /** Lines beside insertions: those of two insertions can be the same. */
  readonly #beside = new Set<number>();
  #uncertain = false;

  constructor(lookup: TestLookup, file: JudgedFile, side: PatchSide) {
    this.#lookup = lookup;
    this.#file = file;
    this.#side = side;
  }

  judge(): FileVerdict {
    const { change, judgement } = this.#file;
    const path = change.newPath || change.oldPath;
    if (judgement.kind === "source") {
      const places = placeHunks(change.hunks, this.#file.source, this.#side, true);
      change.hunks.forEach((hunk, i) =>
        this.#judgeHunk(hunk, places[i], judgement.file, judgement.header)
      );
    } else if (judgement.kind !== "no-effect") {
      const isCode = /\.(?:c|rs|[sS])$/.test(path);
      const state = judgement.kind === "not-built"
        ? "not-built"
        : isCode && !change.binary
        ? "not-instrumented"
        : "unjudged";
      this.#addAll(change, state);
    }
    return {
      path,
      file: judgement.kind === "source" ? judgement.file : -1,
      reason: judgement.kind === "source" ? "" : judgement.reason,
      uncertain: this.#uncertain,
      lines: this.#lines,
    };
  }

  /** The changed lines of a file that has none in the image. */
  #addAll(change: FilePatch, state: ChangedLineState): void {
    const isGone = change.newPath === "";
    for (const { oldLine, newLine, removed, added } of change.hunks.flatMap((hunk) => hunk.edits)) {
      (isGone ? removed : added).forEach((text, i) => {
        if (isTrivialText(text)) return;
        const number = (isGone ? oldLine : newLine) + i;
        this.#lines.push({ line: 0, newLine: number, text, state, tests: 0, beside: false });
      });
    }
  }

  #judgeHunk(
    hunk: Hunk,
    { shift, verified }: HunkPlace,
    file: number,
    isHeader: boolean,
  ): void {
    if (this.#file.source !== undefined && !verified) this.#uncertain = true;
    for (const { oldLine, newLine, removed, added } of hunk.edits) {
      if (this.#side === "new") {
        added.forEach((text, i) => {
          this.#add(file, isHeader, newLine + i + shift, newLine + i, text);
        });
        continue;
      }
      const last = newLine + Math.max(added.length - 1, 0);
      removed.forEach((text, i) => {
        this.#add(file, isHeader, oldLine + i + shift, Math.min(newLine + i, last), text);
      });
      const inserts = removed.every(isTrivialText) && !added.every(isTrivialText);
      if (inserts) this.#addBeside(file, isHeader, oldLine + shift, removed.length, newLine, added);
    }
  }

  #add(file: number, isHeader: boolean, line: number, newLine: number, text: string): void {
    if (isTrivialText(text)) return;
    const own = this.#lineId(file, line);
    const id = own >= 0 ? own : this.#lineId(file, statementLine(this.#file.source, line));
    const state = id < 0 ? isHeader ? "unjudged" : "no-code" : this.#stateOf(id);
    this.#lines.push({ line, newLine, text, state, tests: this.#testsOf(id), beside: false });
  }

  /** The lines that can be covered around what this kernel does not have, as far as they are of the same function. */
  #addBeside(
    file: number,
    isHeader: boolean,
    first: number,
    count: number,
    newLine: number,
    added: readonly string[],
  ): void {
    const { universe } = this.#lookup.coverage;
    const ids = touchedLines(universe, file, first, count).around;
    if (ids.length === 0) {
      added.forEach((text, i) => {
        if (isTrivialText(text)) return;
        const state = isHeader ? "unjudged" : "no-code";
        this.#lines.push({ line: 0, newLine: newLine + i, text, state, tests: 0, beside: false });
      });
      return;
    }
    for (const id of ids) {
      const line = universe.image.lineNumber[id];
      if (this.#beside.has(line)) continue;
      this.#beside.add(line);
      const text = this.#file.source?.[line - 1] ?? "";
      const state = this.#stateOf(id), tests = this.#testsOf(id);
      this.#lines.push({ line, newLine, text, state, tests, beside: true });
    }
  }

  /** Id of a line that can be covered, or -1. */
  #lineId(file: number, number: number): number {
    const { universe } = this.#lookup.coverage;
    const id = lineAtOrAfter(universe, file, number);
    const known = id < universe.fileLineStart[file + 1] &&
      universe.image.lineNumber[id] === number && universe.linePoints[id] !== 0;
    return known ? id : -1;
  }

  #stateOf(id: number): ChangedLineState {
    const { lineHit, linePointsHit, universe } = this.#lookup.coverage;
    if (lineHit[id] === 0) return "uncovered";
    return linePointsHit[id] < universe.linePoints[id] ? "partial" : "covered";
  }

  #testsOf(id: number): number {
    if (id < 0) return 0;
    return repeatIndex(this.#lookup.coverage).distinct(this.#lookup.testsOfLines(id, id + 1))
      .length;
  }
}

/** A statement's lines after its first have mostly no points: they run with it. No statement is longer than this. */
const LONGEST_STATEMENT = 20;

/** The line that the statement in line `number` begins in, as far as the text tells. */
function statementLine(source: readonly string[] | undefined, number: number): number {
  if (source === undefined) return number;
  for (let line = number; line > 1 && number - line < LONGEST_STATEMENT; line--) {
    const text = source[line - 1] ?? "", above = source[line - 2];
    // Braces are no statement, and what stands behind a label or a directive is a new one.
    if (/^\s*#|^\s*[{}]*\s*$/.test(text)) return number;
    if (/^\s*#|[;{}:]\s*(?:\/[/*].*)?$|\*\/\s*$|^\s*(?:\/[/*].*)?$|^\S.*\)\s*$/.test(above)) {
      return line;
    }
    if (/^\s*(?:if|for|while|switch)\b.*\)\s*$|^\s*(?:\} )?else\s*$|^\s*do\s*$/.test(above)) {
      return line;
    }
  }
  return number;
}
