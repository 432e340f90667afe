import type { Frame, ImageIndex } from "./image_index.ts";
import { UNKNOWN } from "./source_tables.ts";
import { symbolAt } from "./symbol_names.ts";

/**
 * The frames of a coverage point, innermost first; of a point without debug information one frame that names its
 * symbol only.
 *
 * @param point index in `everyOffset`
 */
export function framesOfPoint(index: ImageIndex, point: number): Frame[] {
  const symbol = symbolNameAt(index, index.everyOffset[point]);
  const end = index.everyFrameStart[point + 1];
  const frames: Frame[] = [];
  for (let at = index.everyFrameStart[point]; at < end; at++) {
    const id = index.frameFunction[at];
    const path = index.framePath[at];
    const name = index.functionName[id];
    frames.push({
      function: name,
      file: index.files[index.pathFile[path]],
      line: index.frameLine[at],
      symbol: at + 1 === end && symbol !== undefined ? symbol : index.linkageName.get(id) ?? name,
      path: index.paths[path],
    });
  }
  return frames.length > 0 ? frames : [symbolFrame(symbol)];
}

/** A frame of which only the symbol is known, or nothing. */
export function symbolFrame(symbol: string | undefined): Frame {
  const name = symbol ?? UNKNOWN;
  return { function: name, file: UNKNOWN, line: 0, symbol: name, path: UNKNOWN };
}

/** Name of the symbol that holds the code at an offset from the image's base. */
export function symbolNameAt(index: ImageIndex, offset: number): string | undefined {
  const at = symbolAt(index.symbols, offset);
  return at < 0 ? undefined : index.symbols.name[at];
}
