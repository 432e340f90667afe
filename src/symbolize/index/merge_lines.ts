import type { UnitResults } from "../units/unit_work.ts";

/** Files with more lines than this are sorted rather than addressed by line. */
const DIRECT_LINES = 1 << 17;

/** The lines that points claim, ordered by file and number, and the number of each result's lines among them. */
export interface MergedLines {
  readonly file: Uint32Array;
  readonly number: Uint32Array;
  readonly maps: readonly Int32Array[];
}

/** Numbers the lines of all results. A line that several claim, or that several paths lead to, is one. */
export function mergeLines(
  results: readonly UnitResults[],
  pathMaps: readonly Int32Array[],
  pathFile: Uint32Array,
  fileCount: number,
): MergedLines {
  const maps = results.map((result) => new Int32Array(result.linePath.length));
  const total = maps.reduce((sum, map) => sum + map.length, 0);
  // All lines, grouped by file.
  const groupStart = new Uint32Array(fileCount + 1);
  eachLine(results, pathMaps, pathFile, (file) => groupStart[file + 1]++);
  for (let at = 0; at < fileCount; at++) groupStart[at + 1] += groupStart[at];
  const next = groupStart.slice();
  const line = new Uint32Array(total),
    source = new Uint32Array(total),
    owner = new Uint8Array(total);
  eachLine(results, pathMaps, pathFile, (file, number, result, index) => {
    const at = next[file]++;
    line[at] = number;
    source[at] = index;
    owner[at] = result;
  });
  const fileOf = new Uint32Array(total), numberOf = new Uint32Array(total);
  const ids = new Int32Array(DIRECT_LINES);
  let count = 0;
  for (let group = 0; group < fileCount; group++) {
    const from = groupStart[group], to = groupStart[group + 1];
    let most = 0;
    for (let at = from; at < to; at++) if (line[at] > most) most = line[at];
    if (most < DIRECT_LINES) {
      for (let at = from; at < to; at++) ids[line[at]] = 1;
      for (let number = 0; number <= most; number++) {
        if (ids[number] === 0) continue;
        ids[number] = count;
        fileOf[count] = group;
        numberOf[count++] = number;
      }
      for (let at = from; at < to; at++) maps[owner[at]][source[at]] = ids[line[at]];
      ids.fill(0, 0, most + 1);
    } else {
      const order = Array.from({ length: to - from }, (_, at) => from + at);
      order.sort((a, b) => line[a] - line[b]);
      order.forEach((at, place) => {
        if (place === 0 || line[at] !== line[order[place - 1]]) {
          fileOf[count] = group;
          numberOf[count++] = line[at];
        }
        maps[owner[at]][source[at]] = count - 1;
      });
    }
  }
  return { file: fileOf.slice(0, count), number: numberOf.slice(0, count), maps };
}

function eachLine(
  results: readonly UnitResults[],
  pathMaps: readonly Int32Array[],
  pathFile: Uint32Array,
  visit: (file: number, line: number, result: number, index: number) => void,
): void {
  for (let at = 0; at < results.length; at++) {
    const { linePath, lineNumber } = results[at];
    const map = pathMaps[at];
    for (let index = 0; index < linePath.length; index++) {
      visit(pathFile[map[linePath[index]]], lineNumber[index], at, index);
    }
  }
}

/** Claimed lines of points, in the order of the points. */
export interface PlacedClaims {
  readonly claimStart: Uint32Array;
  readonly claimLine: Uint32Array;
}

/**
 * Brings claims into the order of the points.
 *
 * @param universe First and last + 1 address that is a point with claims.
 */
export function placeClaims(
  results: readonly UnitResults[],
  lines: MergedLines,
  universe: readonly [number, number],
): PlacedClaims {
  const [from, to] = universe;
  const start = new Uint32Array(to - from + 1);
  for (const result of results) countClaims(result, start, from, to);
  for (let point = 0; point < to - from; point++) start[point + 1] += start[point];
  const claimLine = new Uint32Array(start[to - from]);
  // Two paths may lead to one file, so a line may be claimed twice: it counts once.
  const claimedBy = new Int32Array(lines.file.length).fill(-1);
  const count = new Uint32Array(to - from);
  results.forEach((result, at) => {
    copyClaims(result, lines.maps[at], start, from, to, claimLine, claimedBy, count);
  });
  return closeGaps(start, count, claimLine);
}

function countClaims(
  { addresses, claims }: UnitResults,
  start: Uint32Array,
  from: number,
  to: number,
): void {
  for (let at = 0; at < addresses.length; at++) {
    const index = addresses[at];
    if (index >= from && index < to) start[index - from + 1] = claims[at];
  }
}

function copyClaims(
  { addresses, claims, claimLine: resultLine }: UnitResults,
  map: Int32Array,
  start: Uint32Array,
  from: number,
  to: number,
  claimLine: Uint32Array,
  claimedBy: Int32Array,
  count: Uint32Array,
): void {
  let claim = 0;
  for (let at = 0; at < addresses.length; at++) {
    const index = addresses[at];
    const next = claim + claims[at];
    if (index >= from && index < to) {
      let out = start[index - from];
      for (; claim < next; claim++) {
        const line = map[resultLine[claim]];
        if (claimedBy[line] === index) continue;
        claimedBy[line] = index;
        claimLine[out++] = line;
      }
      count[index - from] = out - start[index - from];
    }
    claim = next;
  }
}

/** Closes the places of lines that counted once where two were expected. */
function closeGaps(start: Uint32Array, count: Uint32Array, claimLine: Uint32Array): PlacedClaims {
  const claimStart = new Uint32Array(start.length);
  let out = 0;
  for (let point = 0; point < count.length; point++) {
    const from = start[point];
    claimStart[point] = out;
    if (out !== from) claimLine.copyWithin(out, from, from + count[point]);
    out += count[point];
  }
  claimStart[count.length] = out;
  return { claimStart, claimLine: out === claimLine.length ? claimLine : claimLine.slice(0, out) };
}
