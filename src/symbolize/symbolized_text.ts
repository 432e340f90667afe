import { formatAddress } from "../base/address.ts";
import { SYMBOLIZE_REASON_TEXT, type SymbolizedPcs } from "./symbolized_pcs.ts";
import { symbolAt, type SymbolNames } from "./symbol_names.ts";
import type { FrameColumns } from "./point_frames.ts";
import { UNKNOWN } from "./source_tables.ts";

/** Characters per piece of output. */
const PIECE_SIZE = 1 << 16;

/** Writes one frame, given its names as llvm-symbolizer has them. */
type WriteFrame = (symbol: string, path: string, line: number) => string;

/**
 * One JSON object a line, in the order of the PCs: `{"pc": "0x…", "frames": [{"function", "file", "line"}…]}`, innermost
 * frame first, or `"reason"` instead of frames. Names and paths are those that `llvm-symbolizer` prints.
 */
export function* symbolizedJson(symbolized: SymbolizedPcs): Generator<string> {
  let piece = "";
  for (let index = 0; index < symbolized.length; index++) {
    const pc = formatAddress(symbolized.pcs[index]);
    const reason = symbolized.reason(index);
    if (reason !== undefined) {
      piece += `{"pc":"${pc}","reason":${JSON.stringify(SYMBOLIZE_REASON_TEXT[reason])}}\n`;
    } else {
      const table = symbolized.tables[symbolized.table[index]];
      const frames = framesText(table, symbolized.at[index], jsonFrame, ",");
      piece += `{"pc":"${pc}","frames":[${frames}]}\n`;
    }
    if (piece.length >= PIECE_SIZE) {
      yield piece;
      piece = "";
    }
  }
  yield piece;
}

/**
 * Text as `llvm-symbolizer --inlines` writes it, columns left out: per PC its frames, two lines each, and an empty line.
 */
export function* symbolizedText(symbolized: SymbolizedPcs): Generator<string> {
  let piece = "";
  for (let index = 0; index < symbolized.length; index++) {
    const table = symbolized.table[index];
    piece += table < 0
      ? `${UNKNOWN}\n${UNKNOWN}:0\n\n`
      : `${framesText(symbolized.tables[table], symbolized.at[index], textFrame, "")}\n`;
    if (piece.length >= PIECE_SIZE) {
      yield piece;
      piece = "";
    }
  }
  yield piece;
}

function jsonFrame(symbol: string, path: string, line: number): string {
  return `{"function":${JSON.stringify(symbol)},"file":${JSON.stringify(path)},"line":${line}}`;
}

function textFrame(symbol: string, path: string, line: number): string {
  return `${symbol}\n${path}:${line}\n`;
}

/** The frames of one address without an object per frame: there may be a million. */
function framesText(columns: FrameColumns, at: number, write: WriteFrame, between: string): string {
  const { everyFrameStart, frameFunction, framePath, frameLine, symbols } = columns;
  const from = everyFrameStart[at], end = everyFrameStart[at + 1];
  const symbol = symbolAt(symbols, columns.everyOffset[at]);
  if (from === end) return write(nameOf(symbols, symbol), fileOf(symbols, symbol), 0);
  let text = "";
  for (let frame = from; frame < end; frame++) {
    const id = frameFunction[frame], path = framePath[frame];
    const isOutermost = frame + 1 === end && symbol >= 0;
    text += (frame === from ? "" : between) + write(
      isOutermost
        ? symbols.nameAt(symbol)
        : columns.linkageName.get(id) ?? columns.functionName[id],
      path === 0 && isOutermost ? fileOf(symbols, symbol) : columns.paths[path],
      frameLine[frame],
    );
  }
  return text;
}

function nameOf(symbols: SymbolNames, symbol: number): string {
  return symbol < 0 ? UNKNOWN : symbols.nameAt(symbol);
}

function fileOf(symbols: SymbolNames, symbol: number): string {
  return symbol < 0 ? UNKNOWN : symbols.fileAt(symbol) ?? UNKNOWN;
}
