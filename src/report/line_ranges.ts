import type { Universe } from "../coverage/universe.ts";
import { type PathMode, sourcePath } from "./source_path.ts";

/** Ascending numbers as ranges: `1-5,8`. */
export function formatRanges(numbers: ArrayLike<number>, separator = ","): string {
  const parts: string[] = [];
  for (let i = 0; i < numbers.length;) {
    let end = i;
    while (end + 1 < numbers.length && numbers[end + 1] === numbers[end] + 1) end++;
    parts.push(end === i ? `${numbers[i]}` : `${numbers[i]}-${numbers[end]}`);
    i = end + 1;
  }
  return parts.join(separator);
}

/** Lines, by id and ascending, as ranges of numbers by path: `1-5,8`. */
export function rangesByFile(
  { image, fileLineStart }: Universe,
  lines: Uint32Array,
  paths: PathMode = "relative",
): Record<string, string> {
  const files: Record<string, string> = {};
  for (let i = 0; i < lines.length;) {
    const file = image.lineFile[lines[i]];
    const numbers: number[] = [];
    while (i < lines.length && lines[i] < fileLineStart[file + 1]) {
      numbers.push(image.lineNumber[lines[i++]]);
    }
    files[sourcePath(image.files[file], paths)] = formatRanges(numbers);
  }
  return files;
}
