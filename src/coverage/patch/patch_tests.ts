import type { LeftOut } from "../origin_selection.ts";
import { groupNames, lineAtOrAfter } from "../questions/find_source.ts";
import { type Edit, type FilePatch, type Hunk, isTrivialText } from "./patch.ts";
import {
  type HunkPlace,
  type PatchSide,
  patchSide,
  placeHunks,
  type SourcedPatch,
} from "./hunk_places.ts";
import { type FileJudgement, judgeFile } from "./patch_files.ts";
import { indexOfSorted } from "../../base/search.ts";
import { unionOf } from "../point_sets.ts";
import { incompleteTests, type RepeatIndex, repeatIndex } from "../repeat_index.ts";
import type { TestLookup } from "../questions/test_lookup.ts";
import type { TestCoverage } from "../run_coverage.ts";
import { type TouchedLines, touchedLines } from "./touched_lines.ts";

/**
 * How a test touches an edit, the closest first: it runs a changed `line`; it runs a line `around` an insertion or
 * around changed lines that have no points of their own; it enters the changed `function` on other lines; or it
 * reaches the `file`, where the change lies outside functions.
 */
export type Closeness = "line" | "around" | "function" | "file";

const WEIGHT: Readonly<Record<Closeness, number>> = {
  line: 1,
  around: 0.5,
  function: 0.2,
  file: 0.05,
};

/** What can be said of a hunk. `uncovered`: no test runs its lines, though some may enter the function. */
export type HunkState =
  | "covered"
  | "uncovered"
  | "no-code"
  | "not-built"
  | "no-effect"
  | "run-all";

/** A hunk and what is known about it. */
export interface HunkJudgement {
  readonly path: string;
  /** Line in the image's source. */
  readonly line: number;
  /** The side of the patch that this line is of. */
  readonly side: PatchSide;
  readonly heading: string;
  readonly state: HunkState;
  /** Why, in a few words. */
  readonly reason: string;
  /** Functions that it changes. */
  readonly functions: readonly string[];
  /** Numbers of the changed lines that can be covered, or of those around an insertion. */
  readonly lines: readonly number[];
  /** Those of `lines` that no test runs. */
  readonly uncovered: readonly number[];
  /** Tests that run one of `lines`, else that enter the function or reach the file. */
  readonly tests: readonly number[];
  /** Whether the available source holds the hunk, so that its line numbers are certain. */
  readonly verified: boolean;
}

/** Why a test was picked. */
export interface PickReason {
  readonly path: string;
  readonly closeness: Closeness;
  readonly functions: readonly string[];
  /** Line numbers that it runs; empty for `function` and `file`. */
  readonly lines: readonly number[];
  /** Tests that the most particular of these lines has. */
  readonly owners: number;
}

/** A test that a patch needs. */
export interface RankedTest {
  /** The first of its repeats, as everywhere here. */
  readonly test: number;
  readonly score: number;
  readonly reasons: readonly PickReason[];
}

/** The tests that a patch needs. */
export interface PatchAnswer {
  /** Files that can change anything: where there is one, every test should run. */
  readonly runAll: readonly { readonly path: string; readonly reason: string }[];
  /** Best first. */
  readonly tests: readonly RankedTest[];
  /** Tests whose coverage is not whole (truncated, or failed on their way), so that they cannot be ruled out. */
  readonly incomplete: readonly number[];
  readonly hunks: readonly HunkJudgement[];
  /** Points of the changed functions that no test has since none of their origins counts: other tests may run them. */
  readonly leftOut?: LeftOut;
}

/** Options of {@linkcode whichPatch}. */
export interface PatchOptions {
  /** Side that the image was built from; found from the sources, else `"old"`. */
  side?: PatchSide;
  /** Lines of a source file of the image, where the sources are available. */
  source?(file: string): readonly string[] | undefined;
}

/**
 * The tests that a patch needs, ranked. A test scores for each changed line it runs, more where the edit is small
 * and where few other tests run the line; of equal scores the test with the fewest points in all is first.
 */
export function whichPatch(
  lookup: TestLookup,
  patch: readonly FilePatch[],
  options: PatchOptions = {},
): PatchAnswer {
  return new PatchJudge(lookup, options).judge(patch);
}

interface JudgedFile extends SourcedPatch {
  readonly judgement: FileJudgement;
}

/** Tests that touch an edit, and how: a line of it, or its function or file. */
interface Match extends Omit<PickReason, "lines" | "owners"> {
  /** Absent for a function or a file. */
  readonly line?: number;
  /** Ascending, each once. */
  readonly tests: Uint32Array;
}

class PatchJudge {
  readonly #lookup: TestLookup;
  readonly #repeats: RepeatIndex;
  readonly #options: PatchOptions;
  readonly #matches: Match[] = [];
  /** By test; 0 for those that were not picked. */
  readonly #scores: Float64Array;
  readonly #picked: number[] = [];
  /** The first of the matches of the hunk that is looked at. */
  #firstOfHunk = 0;
  readonly #runAll: { path: string; reason: string }[] = [];
  readonly #hunks: HunkJudgement[] = [];
  /** Points of the lines of all hunks, and of the functions around them. */
  readonly #points = new Set<number>();

  constructor(lookup: TestLookup, options: PatchOptions) {
    this.#lookup = lookup;
    this.#repeats = repeatIndex(lookup.coverage);
    this.#options = options;
    this.#scores = new Float64Array(lookup.coverage.tests.length);
  }

  judge(patch: readonly FilePatch[]): PatchAnswer {
    const judged = patch.map((change): JudgedFile => {
      const judgement = judgeFile(this.#lookup.coverage.universe, change);
      const source = judgement.kind === "source"
        ? this.#options.source?.(this.#lookup.coverage.universe.image.files[judgement.file])
        : undefined;
      return { change, judgement, source };
    });
    const side = this.#options.side ?? patchSide(judged) ?? "old";
    for (const file of judged) this.#judgeFile(file, side);
    const { coverage } = this.#lookup;
    const matches = this.#matches, scores = this.#scores;
    const ranked = byScore(this.#picked, scores, coverage.tests).map((test) => ({
      test,
      score: scores[test],
      // A hot line has the tests of a whole fleet, of which few are looked at.
      get reasons() {
        return reasonsOf(test, matches);
      },
    }));
    const incomplete = incompleteTests(coverage).filter((test) => scores[test] === 0);
    return {
      runAll: this.#runAll,
      tests: ranked,
      incomplete,
      hunks: this.#hunks,
      ...coverage.leftOutOf(this.#points),
    };
  }

  #judgeFile({ change: patch, judgement, source }: JudgedFile, side: PatchSide): void {
    const path = patch.oldPath || patch.newPath;
    if (judgement.kind !== "source") {
      if (judgement.kind === "run-all") this.#runAll.push({ path, reason: judgement.reason });
      const whole = { path, state: judgement.kind, reason: judgement.reason } as const;
      if (patch.hunks.length === 0) this.#hunks.push(emptyHunk(whole, 0, ""));
      for (const hunk of patch.hunks) {
        this.#hunks.push(emptyHunk(whole, hunk.oldLine, hunk.heading));
      }
      return;
    }
    if (patch.hunks.length === 0) {
      const reason = "only its name or mode changed: the code is the same";
      this.#hunks.push(emptyHunk({ path, state: "no-code", reason }, 0, ""));
    }
    const places = placeHunks(patch.hunks, source, side, this.#options.side !== undefined);
    patch.hunks.forEach((hunk, i) =>
      this.#judgeHunk(path, judgement, hunk, places[i], source !== undefined)
    );
  }

  #judgeHunk(
    path: string,
    target: FileJudgement & { kind: "source" },
    hunk: Hunk,
    place: HunkPlace,
    hasSource: boolean,
  ): void {
    const base = place.side === "old" ? hunk.oldLine : hunk.newLine;
    const functions = new Set<string>();
    const lines = new Set<number>();
    this.#firstOfHunk = this.#matches.length;
    let closest: Closeness | undefined;
    let runAll = "";
    for (const edit of hunk.edits) {
      if (isTrivial(edit)) continue;
      const first = (place.side === "old" ? edit.oldLine : edit.newLine) + place.shift;
      const count = (place.side === "old" ? edit.removed : edit.added).length;
      const found = touchedLines(this.#lookup.coverage.universe, target.file, first, count);
      if (found.group < 0 && found.exact.length === 0 && target.header) {
        runAll = "a header's macros and types reach every file that includes it";
        continue;
      }
      const names = found.group < 0 ? [] : groupNames(this.#lookup.coverage.universe, found.group);
      names.forEach((name) => functions.add(name));
      const { lineNumber } = this.#lookup.coverage.universe.image;
      const own = found.exact.length > 0 ? found.exact : found.around;
      own.forEach((line) => lines.add(lineNumber[line]));
      this.#addPoints(own, found.group);
      const closeness = this.#pick(path, names, target.file, found);
      if (closeness !== undefined && (!closest || WEIGHT[closeness] > WEIGHT[closest])) {
        closest = closeness;
      }
    }
    if (runAll !== "") this.#addRunAll(path, runAll);
    const uncovered = [...lines].filter((number) => this.#isUncovered(target.file, number));
    const trivial = hunk.edits.every(isTrivial);
    const { state, reason } = verdict(trivial, runAll, closest, functions.size > 0);
    this.#hunks.push({
      path,
      line: base + place.shift,
      side: place.side,
      heading: hunk.heading,
      state,
      reason: hasSource && !place.verified && !trivial
        ? `${reason}; the source at hand does not hold this hunk, so its lines are a guess`
        : reason,
      functions: [...functions],
      lines: [...lines].sort((a, b) => a - b),
      uncovered: uncovered.sort((a, b) => a - b),
      tests: together(this.#matches.slice(this.#firstOfHunk)),
      verified: place.verified,
    });
  }

  /** Notes the points of lines, and of the function that they stand in: tests that enter it are picked too. */
  #addPoints(lines: readonly number[], group: number): void {
    const { groupLine, groupLineEnd } = this.#lookup.coverage.universe.functions;
    const all = new Set(lines);
    if (group >= 0) {
      for (let line = groupLine[group]; line < groupLineEnd[group]; line++) all.add(line);
    }
    for (const line of all) {
      for (const point of this.#lookup.pointsOfLine(line)) this.#points.add(point);
    }
  }

  #addRunAll(path: string, reason: string): void {
    if (!this.#runAll.some((entry) => entry.path === path && entry.reason === reason)) {
      this.#runAll.push({ path, reason });
    }
  }

  #isUncovered(file: number, number: number): boolean {
    const { universe, lineHit } = this.#lookup.coverage;
    return lineHit[lineAtOrAfter(universe, file, number)] === 0;
  }

  /** Gives the tests that touch an edit most closely their score; returns how close they come. */
  #pick(
    path: string,
    names: readonly string[],
    file: number,
    { exact, around, group }: TouchedLines,
  ): Closeness | undefined {
    const lookup = this.#lookup;
    const { functions, fileLineStart } = lookup.coverage.universe;
    const isHit = (line: number): boolean => lookup.isHit(line, line + 1);
    if (exact.some(isHit)) return this.#score(path, "line", names, exact);
    if (around.some(isHit)) return this.#score(path, "around", names, around);
    if (group < 0 && exact.length > 0) return undefined;
    const [closeness, from, to] = group < 0
      ? ["file", fileLineStart[file], fileLineStart[file + 1]] as const
      : ["function", functions.groupLine[group], functions.groupLineEnd[group]] as const;
    if (!lookup.isHit(from, to)) return undefined;
    const tests = this.#repeats.distinct(lookup.testsOfLines(from, to));
    this.#add({ path, closeness, functions: names, tests }, WEIGHT[closeness] / tests.length);
    return closeness;
  }

  #score(
    path: string,
    closeness: Closeness,
    functions: readonly string[],
    lines: readonly number[],
  ): Closeness {
    for (const id of lines) {
      const tests = this.#repeats.distinct(this.#lookup.testsOfLines(id, id + 1));
      const line = this.#lookup.coverage.universe.image.lineNumber[id];
      const weight = WEIGHT[closeness] / (lines.length * tests.length);
      this.#add({ path, closeness, functions, line, tests }, weight);
    }
    return closeness;
  }

  #add(match: Match, weight: number): void {
    const { tests } = match;
    if (tests.length === 0) return;
    this.#matches.push(match);
    const scores = this.#scores;
    for (let i = 0; i < tests.length; i++) {
      if (scores[tests[i]] === 0) this.#picked.push(tests[i]);
      scores[tests[i]] += weight;
    }
  }
}

/** More than a run can have tests. */
const TESTS = 2 ** 24;

/**
 * Tests by their scores, the highest first. Of tests that run the same lines those are first that run little else: they
 * are about them.
 */
function byScore(
  picked: readonly number[],
  scores: Float64Array,
  tests: readonly TestCoverage[],
): number[] {
  // Most run the very lines that others do: of a fleet's tests few scores are different ones.
  const groups = new Map<number, number[]>();
  for (const test of picked) {
    const key = tests[test].size * TESTS + test;
    const group = groups.get(scores[test]);
    if (group === undefined) groups.set(scores[test], [key]);
    else group.push(key);
  }
  const ascending = Float64Array.from(groups.keys()).sort();
  return Array.from(ascending.reverse(), (score) => {
    const keys = Float64Array.from(groups.get(score)!).sort();
    return Array.from(keys, (key) => key % TESTS);
  }).flat();
}

/** The tests of some matches, ascending, each once. */
function together(matches: readonly Match[]): number[] {
  if (matches.length === 0) return [];
  if (matches.length === 1) return Array.from(matches[0].tests);
  return Array.from(unionOf(matches.map(({ tests }) => tests)));
}

/** Why a test was picked, the closest first. */
function reasonsOf(test: number, matches: readonly Match[]): PickReason[] {
  const reasons = new Map<string, { match: Match; lines: Set<number>; owners: number }>();
  for (const match of matches) {
    const { path, closeness, functions, line, tests } = match;
    if (indexOfSorted(tests, test) < 0) continue;
    const key = `${path}\n${closeness}\n${functions.join()}`;
    let entry = reasons.get(key);
    if (entry === undefined) {
      reasons.set(key, entry = { match, lines: new Set(), owners: tests.length });
    }
    if (line !== undefined) entry.lines.add(line);
    entry.owners = Math.min(entry.owners, tests.length);
  }
  return [...reasons.values()].map(({ match: { path, closeness, functions }, lines, owners }) => ({
    path,
    closeness,
    functions,
    lines: [...lines].sort((a, b) => a - b),
    owners,
  })).sort((a, b) => WEIGHT[b.closeness] - WEIGHT[a.closeness]);
}

function verdict(
  trivial: boolean,
  runAll: string,
  closest: Closeness | undefined,
  inFunction: boolean,
): { state: HunkState; reason: string } {
  if (trivial) return { state: "no-code", reason: "comments and blank lines only" };
  if (runAll !== "") return { state: "run-all", reason: runAll };
  if (closest === "line") return { state: "covered", reason: "tests run the changed lines" };
  if (closest === "around") return { state: "covered", reason: "tests run the lines around it" };
  if (closest === "function") {
    return { state: "uncovered", reason: "tests enter the function but do not run these lines" };
  }
  if (closest === "file") {
    return { state: "covered", reason: "outside functions: tests that reach the file" };
  }
  return {
    state: "uncovered",
    reason: inFunction ? "no test enters the function" : "no test reaches the file",
  };
}

function emptyHunk(
  whole: { path: string; state: HunkState; reason: string },
  line: number,
  heading: string,
): HunkJudgement {
  return {
    ...whole,
    line,
    side: "old",
    heading,
    functions: [],
    lines: [],
    uncovered: [],
    tests: [],
    verified: false,
  };
}

/** Whether an edit changes blank lines and whole-line comments only. */
function isTrivial({ removed, added }: Edit): boolean {
  return removed.every(isTrivialText) && added.every(isTrivialText);
}
