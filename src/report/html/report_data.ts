import type { ComparedRow } from "../comparisons/comparisons_text.ts";

/**
 * What the data files of the HTML report hold: written here, read by the scripts in `browser/`. Each file calls
 * `kernelcov.put(key, value)`, since a page opened from `file://` may load scripts but may not fetch.
 *
 * Ids: a *file* is an index into `RunData.files`, a *test* an index into `RunData.tests`, a *line* the rank of a
 * line among all lines of the universe, by file and number. An `IdSet` is text as `set_codec.ts` describes.
 */
export type IdSet = string;

/** `data/run.js`: all that the first page needs. */
export interface RunData {
  readonly title: string;
  readonly release: string;
  readonly machine: string;
  readonly buildId: string;
  readonly functions: Share;
  readonly lines: Share;
  readonly points: Share;
  /** Lines of which some points were hit and some not; they are in `lines` too. */
  readonly partialLines: number;
  /** What the numbers leave out, one sentence each; one with two leading spaces belongs to the one above. */
  readonly notes: readonly string[];
  readonly files: FileColumns;
  readonly directories: { readonly path: readonly string[]; readonly tests: readonly number[] };
  readonly tests: TestColumns;
  readonly hasPatch: boolean;
  /** The builds before this one, oldest first, and this one; absent where no earlier ones were named. */
  readonly builds?: readonly BuildTotals[];
}

/** What the tests of a build covered. */
export interface BuildTotals {
  readonly name: string;
  readonly buildId: string;
  readonly tests: number;
  readonly functions: Share;
  readonly lines: Share;
}

/** How much of a denominator was hit. */
export interface Share {
  readonly hit: number;
  readonly all: number;
}

/** Source files with lines that can be covered, in columns. */
export interface FileColumns {
  readonly path: readonly string[];
  readonly lines: readonly number[];
  readonly linesHit: readonly number[];
  readonly functions: readonly number[];
  readonly functionsHit: readonly number[];
  /** Tests that ran a line of the file. */
  readonly tests: readonly number[];
}

/** Tests, in columns. */
export interface TestColumns {
  /** With the runner behind it where the run has tests of several. */
  readonly name: readonly string[];
  /** Index into `testFiles`. */
  readonly file: readonly number[];
  readonly testFiles: readonly string[];
  /** 1 where the test failed. */
  readonly failed: readonly number[];
  /** What the record is of: `test`, `baseline`, `command`, `outside`. */
  readonly kind: readonly string[];
  readonly milliseconds: readonly number[];
  readonly functions: readonly number[];
  readonly lines: readonly number[];
  readonly points: readonly number[];
  /** Lines that no other test ran. */
  readonly ownLines: readonly number[];
  /** What makes the numbers less than the truth, in a few words; empty where nothing does. */
  readonly doubts: readonly string[];
  /** 1 where it is known what made the kernel run the test's lines; absent where that is known of none. */
  readonly calls?: readonly number[];
  /** Number of the `data/t<chunk>.js` that holds the test. */
  readonly chunk: readonly number[];
}

/** `data/index.js`: what turns line ids into files, functions and numbers. Loaded by pages about tests. */
export interface IndexData {
  /** First line of each file, and at the end the number of lines. */
  readonly fileLine: readonly number[];
  /** Line numbers of each file. */
  readonly numbers: readonly IdSet[];
  /** First line of each group of functions; it owns the lines up to the next group or the file's end. */
  readonly groupLine: IdSet;
  /** Names of the functions of each group. */
  readonly names: readonly string[];
  /** Tests that ran a line of each group. */
  readonly groupTests: readonly number[];
}

/** `data/f<file>.js`: a source page. The columns `points` to `sets` are by line, those of `number`. */
export interface FileData {
  /** The source, or `null` where it was not available. */
  readonly source: string | null;
  readonly number: IdSet;
  /** What was compared, by line; absent where that was recorded of no test. */
  readonly compared?: readonly ComparedRow[];
  /** Points that hold code of the line and can be seen; 1 where others only show that it was passed. */
  readonly points: readonly number[];
  readonly pointsHit: readonly number[];
  readonly tests: readonly number[];
  /**
   * Which tests ran the line: for each of its points that was hit, the index into `testSets` of the tests that hit it;
   * and `-1 - index` of tests that hit a point which shows that the line was passed but is none of its points.
   */
  readonly sets: readonly (readonly number[])[];
  /** Indexes of lines with so many points that `sets` has one set, of all tests that ran the line. */
  readonly merged: IdSet;
  readonly testSets: readonly IdSet[];
  /** Numbers of lines that only tail calls claim: KCOV cannot see them. */
  readonly unknown: IdSet;
  /** Through which calls lines were reached; absent where that is known of no test. */
  readonly calls?: LineCalls;
  /** Groups of functions: names, index of the first line, index after the last, last line number, number of functions. */
  readonly functions: readonly (readonly [string, number, number, number, number])[];
}

/** Through which calls the lines of a file were reached, by the tests of which that is known. */
export interface LineCalls {
  /** In words: `connect(2), in softirq`. */
  readonly names: readonly string[];
  /** Distinct sets of indexes into `names`. */
  readonly sets: readonly IdSet[];
  /** By line, the index into `sets`. */
  readonly ofLine: readonly number[];
}

/** `data/t<chunk>.js`: some tests, from `first` on. */
export interface TestChunk {
  readonly first: number;
  readonly tests: readonly TestData[];
}

/** A test page. */
export interface TestData {
  readonly lines: IdSet;
  /** Lines that no other test ran. */
  readonly own: IdSet;
  /** Points that no other test hit. */
  readonly ownPoints: number;
  /** The most similar tests: id, and share in parts per thousand. */
  readonly similar: readonly (readonly [number, number])[];
  /** What it ran by call, and on its behalf, in the order of first runs within each part; absent where that is not known. */
  readonly calls?: readonly CallData[];
  /** What does not count of it, in a sentence; absent where everything does. */
  readonly leftOut?: string;
  /** Where the test was run several times: the runs, the points all of them hit, and those that come and go. */
  readonly repeats?: {
    readonly tests: readonly number[];
    readonly steady: number;
    readonly flaky: number;
  };
}

/** What a test ran through a call, or what ran on its behalf in one way. */
export interface CallData {
  /** `calls`, `faults`, `behalf` or `runtime`. */
  readonly part: string;
  /** In words: `connect(2)`. */
  readonly name: string;
  readonly functions: number;
  readonly points: number;
  /** The lines that it ran, as indexes into those of the test. */
  readonly lines: IdSet;
}

/** `data/patch.js`: the patch page. */
export interface PatchData {
  readonly runAll: readonly { readonly path: string; readonly reason: string }[];
  readonly tests: readonly PatchTest[];
  /** Tests whose coverage is not whole, so that they cannot be ruled out. */
  readonly incomplete: readonly number[];
  readonly files: readonly PatchFile[];
}

/** A test that the patch needs. */
export interface PatchTest {
  readonly test: number;
  readonly score: number;
  /** Why, in a sentence per place. */
  readonly reasons: readonly string[];
}

/** A changed file. */
export interface PatchFile {
  readonly path: string;
  /** The file in this report, or -1. */
  readonly file: number;
  readonly hunks: readonly PatchHunk[];
}

/** A hunk, judged. */
export interface PatchHunk {
  readonly line: number;
  readonly heading: string;
  /** `covered`, `uncovered`, `no-code`, `not-built`, `no-effect`, `run-all`. */
  readonly state: string;
  readonly reason: string;
  readonly functions: readonly string[];
  readonly uncovered: readonly number[];
  /** Tests that run it, ranked. */
  readonly tests: readonly number[];
  readonly rows: readonly PatchRow[];
}

/** A line of a hunk: ` `, `-` or `+`, its text, its number in the source of the image (0: not in it), tests that run it (-1: it has no points). */
export type PatchRow = readonly [mark: string, text: string, number: number, tests: number];
