import { lowerBound } from "../../base/search.ts";
import type { Universe } from "../universe.ts";

/** Files of the image that `text` can mean: the exact path, else every path that ends with it. */
export function findFiles(universe: Universe, text: string): number[] {
  const wanted = text.replace(/^(?:\.\/)+/, "");
  const { files } = universe.image;
  const exact = files.indexOf(wanted);
  if (exact >= 0) return [exact];
  const found: number[] = [];
  for (let file = 0; file < files.length; file++) {
    // An absolute path of the sources ends with the image's path; a short form is the end of it.
    if (files[file].endsWith(`/${wanted}`) || wanted.endsWith(`/${files[file]}`)) found.push(file);
  }
  const withLines = found.filter((file) => hasLines(universe, file));
  return withLines.length > 0 ? withLines : found;
}

/** Whether any line of `file` can be covered. */
export function hasLines(universe: Universe, file: number): boolean {
  const end = universe.fileLineStart[file + 1];
  for (let line = universe.fileLineStart[file]; line < end; line++) {
    if (universe.linePoints[line] !== 0) return true;
  }
  return false;
}

/** First line id of `file` whose number is at least `number`; the file's end where there is none. */
export function lineAtOrAfter(universe: Universe, file: number, number: number): number {
  const { fileLineStart, image: { lineNumber } } = universe;
  return lowerBound(lineNumber, number, fileLineStart[file], fileLineStart[file + 1]);
}

/** Ids of the nearest lines of `file` that can be covered: the last before line id `from`, and the first from `to` on. */
export function linesAround(universe: Universe, file: number, from: number, to: number): number[] {
  const { linePoints, fileLineStart } = universe;
  const first = fileLineStart[file], end = fileLineStart[file + 1];
  let above = from - 1, below = to;
  while (above >= first && linePoints[above] === 0) above--;
  while (below < end && linePoints[below] === 0) below++;
  return [...above >= first ? [above] : [], ...below < end ? [below] : []];
}

/** The group of functions that line `number` of `file` stands in, or -1 between functions. */
export function groupAt(universe: Universe, file: number, number: number): number {
  const { functions, image } = universe;
  let found = -1;
  const end = functions.fileGroupStart[file + 1];
  for (let group = functions.fileGroupStart[file]; group < end; group++) {
    if (image.lineNumber[functions.groupLine[group]] > number) break;
    found = group;
  }
  return found >= 0 && number <= functions.groupLastNumber[found] ? found : -1;
}

/** The names of a group's functions. */
export function groupNames(universe: Universe, group: number): string[] {
  const { name, groupStart } = universe.functions;
  return name.slice(groupStart[group], groupStart[group + 1]);
}
