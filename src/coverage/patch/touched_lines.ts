import { groupAt, lineAtOrAfter, linesAround } from "../questions/find_source.ts";
import type { Universe } from "../universe.ts";

/** Line ids that an edit touches, and the group of functions that it stands in; -1 where it stands in none. */
export interface TouchedLines {
  /** Its own lines that can be covered. */
  readonly exact: readonly number[];
  /** Where it has none, those around it within its function. */
  readonly around: readonly number[];
  readonly group: number;
}

/**
 * The lines that an edit touches.
 *
 * @param count number of lines from line `first` on that it changes; 0 where it inserts before line `first`
 */
export function touchedLines(
  universe: Universe,
  file: number,
  first: number,
  count: number,
): TouchedLines {
  const { linePoints, functions } = universe;
  const exact: number[] = [];
  const from = lineAtOrAfter(universe, file, first);
  const to = lineAtOrAfter(universe, file, first + count);
  for (let line = from; line < to; line++) if (linePoints[line] !== 0) exact.push(line);
  // An insertion at a function's first line stands before the function, one after its last line behind it.
  const inserted = count === 0;
  let group = groupAt(universe, file, first);
  if (inserted && (group < 0 || groupAt(universe, file, first - 1) !== group)) group = -1;
  const around = exact.length > 0 || group < 0 ? [] : linesAround(universe, file, from, to)
    .filter((line) => functions.lineGroup[line] === group);
  return { exact, around, group };
}
