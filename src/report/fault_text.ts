import type { CallFaults, FaultPaths } from "../coverage/questions/fault_paths.ts";
import { groupNames } from "../coverage/questions/find_source.ts";
import type { RunCoverage } from "../coverage/run_coverage.ts";
import { formatRanges } from "./line_ranges.ts";
import {
  formatCount,
  paint,
  PLAIN_STYLE,
  plural,
  printable,
  type TextStyle,
} from "./text_style.ts";

/** Why not all allocations of a call have failed. */
export interface CutFaults {
  readonly name: string;
  readonly file: string;
  readonly call: string;
  readonly why: string;
}

/** A function with lines that only failures reached. */
export interface FaultFunction {
  readonly name: string;
  readonly file: string;
  /** First line. */
  readonly line: number;
  /** Numbers of the lines. */
  readonly lines: readonly number[];
}

/** The functions of the lines that only failures reached, by file and line. */
export function faultFunctions(coverage: RunCoverage, lines: Uint32Array): FaultFunction[] {
  const { universe } = coverage;
  const { functions, image } = universe;
  const groups = Map.groupBy(lines, (line) => functions.lineGroup[line]);
  return [...groups].map(([group, own]) => ({
    name: group < 0 ? "" : groupNames(universe, group).join(", "),
    file: image.files[image.lineFile[own[0]]],
    line: group < 0 ? 0 : image.lineNumber[functions.groupLine[group]],
    lines: own.map((line) => image.lineNumber[line]),
  }));
}

/** What failures reached, in two lines: for the report of a run. */
export function faultSummary(
  coverage: RunCoverage,
  paths: FaultPaths,
  lost: LostFaults,
): string {
  const { calls, points, lines } = paths;
  const faults = calls.flatMap(({ faults }) => faults);
  const thrown = faults.filter(({ error }) => error !== undefined).length;
  const functions = faultFunctions(coverage, lines).length;
  return `failed allocations: ${
    formatCount(faults.length)
  }, each in a run of its own; the test threw in ${
    formatCount(thrown)
  } of them\n  only these reached ${plural(points.length, "point")}, ${
    plural(lines.length, "line")
  } in ${plural(functions, "function")}, which no total counts: kernelcov faults lists them\n${
    lostLines(lost).map((line) => `  ${line}\n`).join("")
  }`;
}

/** What is not known of failures. */
export interface LostFaults {
  readonly cuts: readonly CutFaults[];
  /** Lines of their files that cannot be read. */
  readonly damaged: number;
}

function lostLines({ cuts, damaged }: LostFaults): string[] {
  return [
    ...cuts.length === 0 ? [] : [
      `not all allocations failed in ${
        plural(cuts.length, "call")
      } of a test: kernelcov faults says why`,
    ],
    ...damaged === 0 ? [] : [`${plural(damaged, "failure")} cannot be read: the file is damaged`],
  ];
}

/** All that failures reached. */
export function faultText(
  coverage: RunCoverage,
  paths: FaultPaths,
  { cuts, damaged }: LostFaults,
  style: TextStyle = PLAIN_STYLE,
): string {
  const lines = [
    ...paths.calls.flatMap((call) => callLines(coverage, call, style)),
    ...cuts.map(({ name, call, why }) =>
      paint(
        `${printable(name)}: not all allocations of ${printable(call)} failed: ${why}`,
        "yellow",
        style,
      )
    ),
    ...lostLines({ cuts: [], damaged }).map((line) => paint(line, "yellow", style)),
    ...paths.unresolved === 0 ? [] : [
      paint(
        `${plural(paths.unresolved, "PC")} not among the coverage points of the image`,
        "yellow",
        style,
      ),
    ],
  ];
  return `${lines.join("\n")}\n`;
}

function callLines(
  coverage: RunCoverage,
  { name, file, call, faults, points }: CallFaults,
  style: TextStyle,
): string[] {
  const thrown = Map.groupBy(
    faults.filter(({ error }) => error !== undefined),
    ({ error }) => error!,
  );
  const lines = coverage.linesOfPoints(points).filter((line) => coverage.lineHit[line] === 0);
  return [
    paint(printable(`${file === "" ? "" : `${file}: `}${name}`), "bold", style),
    `  ${printable(call)}(2): ${plural(faults.length, "failed allocation")}, ${
      plural(lines.length, "line")
    } that no test ran without`,
    ...[...thrown].map(([error, own]) =>
      `  threw at ${own.map(({ nth }) => nth).join(", ")}: ${printable(error)}`
    ),
    ...faultFunctions(coverage, lines).map(({ name, file, line, lines }) =>
      `    ${paint(printable(file), "cyan", style)}${
        line === 0 ? "" : `  ${printable(name)}:${line}`
      }  ${formatRanges(lines)}`
    ),
  ];
}

/** The lines that failures reached, as `FILE:LINES`, a function in each. */
export function faultPlain(coverage: RunCoverage, { lines }: FaultPaths): string {
  return faultFunctions(coverage, lines)
    .map(({ file, lines }) => `${printable(file)}:${formatRanges(lines)}\n`).join("");
}

/** All that failures reached, for JSON. */
export function faultJson(
  coverage: RunCoverage,
  paths: FaultPaths,
  { cuts, damaged }: LostFaults,
): unknown {
  return {
    points: paths.points.length,
    unresolved: paths.unresolved,
    functions: faultFunctions(coverage, paths.lines),
    calls: paths.calls.map(({ name, file, call, faults, points }) => ({
      name,
      file,
      call,
      points: points.length,
      faults: faults.map(({ nth, error }) => ({ nth, ...(error === undefined ? {} : { error }) })),
    })),
    cuts,
    damaged,
  };
}
