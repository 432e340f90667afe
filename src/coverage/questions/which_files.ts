import { findFiles, hasLines } from "./find_source.ts";
import type { LeftOut } from "../origin_selection.ts";
import { LineCounter } from "../line_hits.ts";
import { pointsOnly } from "../point_hits.ts";
import { repeatIndex } from "../repeat_index.ts";
import type { RunCoverage } from "../run_coverage.ts";
import type { Universe } from "../universe.ts";
import { type FunctionTest, mostLinesFirst, withOrigins } from "./which_tests.ts";

/** The tests that run a line of some files. */
export interface FilesAnswer {
  /** What was asked for. */
  readonly place: string;
  /** Paths of the files that it means. */
  readonly files: readonly string[];
  /** Lines of the files that can be covered, and how many any test hit. */
  readonly lines: number;
  readonly linesHit: number;
  /** Those that hit most of these lines first. */
  readonly tests: readonly FunctionTest[];
  /** Points of these lines that no test has since none of their origins counts. */
  readonly leftOut?: LeftOut;
}

/**
 * The files with lines that `place` can mean, by id: a file, the end of its path will do; all files below a folder; or
 * those that a pattern matches, in which `*` and `?` are within a name, `**` goes over folders, and a pattern without
 * a slash is of names.
 */
export function findPlace(universe: Universe, place: string): number[] {
  const { files } = universe.image;
  const wanted = place.replace(/^(?:\.\/)+|\/+$/g, "");
  const chosen = (matches: (path: string) => boolean): number[] =>
    [...files.keys()].filter((file) => matches(files[file]) && hasLines(universe, file));
  if (wanted === "" || wanted === ".") return chosen(() => true);
  if (/[*?]/.test(wanted)) {
    const pattern = globPattern(wanted);
    return chosen((path) => pattern.test(path));
  }
  const found = findFiles(universe, wanted).filter((file) => hasLines(universe, file));
  if (found.length > 0) return found;
  const below = chosen((path) => path.startsWith(`${wanted}/`));
  return below.length > 0 ? below : chosen((path) => path.includes(`/${wanted}/`));
}

function globPattern(glob: string): RegExp {
  const text = glob.replace(/[\\^$.+()[\]{}|]/g, "\\$&").replace(
    /\*\*\/|\*\*|\*|\?/g,
    (part) => ({ "**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]" })[part] ?? part,
  );
  return new RegExp(`${glob.includes("/") ? "^" : "(?:^|/)"}${text}$`);
}

/** The tests that run a line of the files with the given ids. */
export function whichFiles(
  coverage: RunCoverage,
  place: string,
  files: readonly number[],
): FilesAnswer {
  const { universe, lineHit, tests } = coverage;
  const { image, linePoints, fileLineStart } = universe;
  const isWanted = new Uint8Array(linePoints.length);
  let lines = 0, linesHit = 0;
  for (const file of files) {
    for (let line = fileLineStart[file]; line < fileLineStart[file + 1]; line++) {
      if (linePoints[line] === 0) continue;
      isWanted[line] = 1;
      lines++;
      linesHit += lineHit[line];
    }
  }
  // Of each test only the points that claim one of these lines are counted.
  const claims = new Uint8Array(image.pointOffset.length);
  for (let point = 0; point < claims.length; point++) {
    for (let c = image.claimStart[point]; c < image.claimStart[point + 1]; c++) {
      if (isWanted[image.claimLine[c]] === 1) claims[point] = 1;
    }
  }
  const counter = new LineCounter(universe);
  const found: FunctionTest[] = [];
  tests.forEach(({ points: { points } }, test) => {
    const own = points.filter((point) => claims[point] === 1);
    if (own.length === 0) return;
    const hit = counter.count(pointsOnly(own)).lines
      .reduce((sum, line) => sum + isWanted[line], 0);
    if (hit > 0) found.push({ test, lines: hit });
  });
  const points = [...claims.keys()].filter((point) => claims[point] === 1);
  return {
    place,
    files: files.map((file) => image.files[file]),
    lines,
    linesHit,
    tests: withOrigins(coverage, points, mostLinesFirst(repeatIndex(coverage), found)),
    ...coverage.leftOutOf(points),
  };
}
