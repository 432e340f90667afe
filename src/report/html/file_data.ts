import { groupNames } from "../../coverage/questions/find_source.ts";
import type { TestLookup } from "../../coverage/questions/test_lookup.ts";
import type { Universe } from "../../coverage/universe.ts";
import type { PointOrigins } from "../../coverage/point_origins.ts";
import { machineOf } from "../../coverage/questions/test_origins.ts";
import type { ComparedRow } from "../comparisons/comparisons_text.ts";
import { originText } from "../origins/origin_text.ts";
import type { FileData, LineCalls } from "./report_data.ts";
import { encodeSet } from "./set_codec.ts";

/**
 * A line with more points than this, of an inline function that hundreds of others hold, has one set of tests
 * instead of one per point: the shares would say little and the page would take long to load.
 */
const MAX_POINTS_WITH_SETS = 48;

/** The source page of file `file` of the image. */
export function fileData(
  lookup: TestLookup,
  file: number,
  source: string | undefined,
  origins: PointOrigins | undefined,
  compared: readonly ComparedRow[] | undefined,
): FileData {
  const { coverage } = lookup;
  const { image, linePoints, fileLineStart, functions } = coverage.universe;
  const sets = new IdSets();
  const number: number[] = [], unknown: number[] = [], lineIds: number[] = [];
  const setsOfLine: number[][] = [], merged: number[] = [];
  for (let line = fileLineStart[file]; line < fileLineStart[file + 1]; line++) {
    if (linePoints[line] === 0) {
      unknown.push(image.lineNumber[line]);
      continue;
    }
    number.push(image.lineNumber[line]);
    if (coverage.lineTests[line] === 0) setsOfLine.push([]);
    else if (linePoints[line] > MAX_POINTS_WITH_SETS) {
      merged.push(lineIds.length);
      setsOfLine.push([sets.idOf(lookup.testsOfLines(line, line + 1))]);
    } else setsOfLine.push(setsOf(lookup, line, sets));
    lineIds.push(line);
  }
  const position = new Map(lineIds.map((line, index) => [line, index]));
  const groups: [string, number, number, number, number][] = [];
  const end = functions.fileGroupStart[file + 1];
  for (let group = functions.fileGroupStart[file]; group < end; group++) {
    const next = group + 1 < end ? position.get(functions.groupLine[group + 1])! : lineIds.length;
    groups.push([
      groupNames(coverage.universe, group).join(", "),
      position.get(functions.groupLine[group])!,
      next,
      functions.groupLastNumber[group],
      functions.groupStart[group + 1] - functions.groupStart[group],
    ]);
  }
  return {
    source: source ?? null,
    number: encodeSet(number),
    points: lineIds.map((line) => linePoints[line]),
    pointsHit: lineIds.map((line) => coverage.linePointsHit[line]),
    tests: lineIds.map((line) => coverage.lineTests[line]),
    sets: setsOfLine,
    merged: encodeSet(merged),
    testSets: sets.texts,
    unknown: encodeSet(unknown),
    ...origins === undefined ? {} : { calls: lineCalls(lookup, lineIds, origins) },
    ...compared === undefined ? {} : { compared },
    functions: groups,
  };
}

/** Through which calls each line was reached. */
function lineCalls(
  lookup: TestLookup,
  lines: readonly number[],
  origins: PointOrigins,
): LineCalls {
  const { coverage } = lookup;
  const machine = machineOf(coverage);
  const sets = new IdSets();
  const found = lines.map((line) =>
    coverage.lineHit[line] === 0 ? [] : origins.of(lookup.pointsOfLine(line))
  );
  const used = [...new Set(found.flat())].sort((a, b) => a - b);
  const nameOf = new Map(used.map((origin, name) => [origin, name]));
  const names = used.map((origin) => originText(machine, origins.origins[origin]));
  const ofLine = found.map((some) => sets.idOf(some.map((origin) => nameOf.get(origin)!)));
  return { names, sets: sets.texts, ofLine };
}

function setsOf(lookup: TestLookup, line: number, sets: IdSets): number[] {
  const { universe } = lookup.coverage;
  // Points that only show that the line was passed count as one, which every test that ran the line hit.
  if (universe.lineIndirect[line] === 1) return [sets.idOf(lookup.testsOfLines(line, line + 1))];
  const ids: number[] = [];
  const passed = new Set<number>();
  for (const point of lookup.pointsOfLine(line)) {
    const tests = lookup.testsOfPoint(point);
    if (tests.length === 0) continue;
    const id = sets.idOfPoint(point, tests);
    if (holdsLine(universe, point, line)) ids.push(id);
    else passed.add(-1 - id);
  }
  return [...ids, ...passed];
}

/** Whether a point holds code of a line. */
function holdsLine({ image, claimDirect }: Universe, point: number, line: number): boolean {
  let claim = image.claimStart[point];
  while (image.claimLine[claim] !== line) claim++;
  return claimDirect[claim] === 1;
}

/** The distinct sets of a file, of tests or of calls. */
class IdSets {
  readonly texts: string[] = [];
  readonly #ids = new Map<string, number>();
  readonly #idOfPoint = new Map<number, number>();

  idOf(tests: ArrayLike<number>): number {
    const text = encodeSet(tests);
    let id = this.#ids.get(text);
    if (id === undefined) this.#ids.set(text, id = this.texts.push(text) - 1);
    return id;
  }

  /** Neighbouring lines share points, so a point is encoded once. */
  idOfPoint(point: number, tests: ArrayLike<number>): number {
    let id = this.#idOfPoint.get(point);
    if (id === undefined) this.#idOfPoint.set(point, id = this.idOf(tests));
    return id;
  }
}
