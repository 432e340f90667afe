import type { Frame, ImageIndex } from "../index/image_index.ts";
import { symbolAt, type SymbolNames, UNKNOWN } from "../../elf/symbol_names.ts";

/** The columns of an {@linkcode ImageIndex} that frames are in: of its points, or of other addresses. */
export type FrameColumns = Pick<
  ImageIndex,
  | "allPointOffsets"
  | "allFrameStart"
  | "frameFunction"
  | "framePath"
  | "frameLine"
  | "functionName"
  | "linkageName"
  | "files"
  | "paths"
  | "pathFile"
  | "symbols"
>;

/**
 * The frames of an address, innermost first; of one without debug information one frame that names its symbol only.
 *
 * @param at Index in `allPointOffsets`.
 */
export function framesAt(columns: FrameColumns, at: number): Frame[] {
  const { symbols } = columns;
  const symbol = symbolAt(symbols, columns.allPointOffsets[at]);
  const end = columns.allFrameStart[at + 1];
  const frames: Frame[] = [];
  for (let frame = columns.allFrameStart[at]; frame < end; frame++) {
    const id = columns.frameFunction[frame];
    const path = columns.framePath[frame];
    const name = columns.functionName[id];
    const isOutermost = frame + 1 === end && symbol >= 0;
    const file = path === 0 && isOutermost ? symbols.fileAt(symbol) : undefined;
    frames.push({
      function: name,
      file: file ?? columns.files[columns.pathFile[path]],
      line: columns.frameLine[frame],
      symbol: isOutermost ? symbols.nameAt(symbol) : columns.linkageName.get(id) ?? name,
      path: file ?? columns.paths[path],
    });
  }
  return frames.length > 0 ? frames : [symbolFrame(symbols, symbol)];
}

/** The frame of an address of which only the symbol is known, or (-1) not even that. */
function symbolFrame(symbols: SymbolNames, symbol: number): Frame {
  const name = symbol < 0 ? UNKNOWN : symbols.nameAt(symbol);
  const file = symbol < 0 ? UNKNOWN : symbols.fileAt(symbol) ?? UNKNOWN;
  return { function: name, file, line: 0, symbol: name, path: file };
}
