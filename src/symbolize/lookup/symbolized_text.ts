import { formatAddress } from "../../base/address.ts";
import type { FrameColumns } from "./point_frames.ts";
import { symbolAt, UNKNOWN } from "../../elf/symbol_names.ts";
import { SYMBOLIZE_REASON_TEXT, type SymbolizedPcs } from "./symbolized_pcs.ts";

/** Characters per piece of output. */
const PIECE_SIZE = 1 << 16;

/**
 * One JSON object a line, in the order of the PCs: `{"pc": "0x…", "frames": [{"function", "file", "line"}…]}`, innermost
 * frame first, or `"reason"` instead of frames. Names and paths are those that `llvm-symbolizer` prints.
 */
export function symbolizedJson(symbolized: SymbolizedPcs): Generator<string> {
  return inPieces(symbolized, JSON_FORM, (frames, index) => {
    const pc = formatAddress(symbolized.pcs[index]);
    const reason = symbolized.reason(index);
    return reason !== undefined
      ? `{"pc":"${pc}","reason":${JSON.stringify(SYMBOLIZE_REASON_TEXT[reason])}}\n`
      : `{"pc":"${pc}","frames":[${frames}]}\n`;
  });
}

/**
 * Text as `llvm-symbolizer --inlines` writes it, columns left out: per PC its frames, two lines each, and an empty line.
 */
export function symbolizedText(symbolized: SymbolizedPcs): Generator<string> {
  return inPieces(
    symbolized,
    TEXT_FORM,
    (frames) => frames === undefined ? `${UNKNOWN}\n${UNKNOWN}:0\n\n` : `${frames}\n`,
  );
}

/** @param entry The text of a PC, from that of its frames where it has any. */
function* inPieces(
  { length, tables, table, at }: SymbolizedPcs,
  form: FrameForm,
  entry: (frames: string | undefined, index: number) => string,
): Generator<string> {
  const writers = tables.map((columns) => new FrameWriter(columns, form));
  let piece = "";
  for (let index = 0; index < length; index++) {
    piece += entry(writers[table[index]]?.frames(at[index]), index);
    if (piece.length >= PIECE_SIZE) {
      yield piece;
      piece = "";
    }
  }
  yield piece;
}

/** How a frame is written: its name, its path, what follows its line, and what stands between two frames. */
interface FrameForm {
  readonly name: (name: string) => string;
  readonly path: (path: string) => string;
  readonly end: string;
  readonly between: string;
}

const JSON_FORM: FrameForm = {
  name: (name) => `{"function":${JSON.stringify(name)}`,
  path: (path) => `,"file":${JSON.stringify(path)},"line":`,
  end: "}",
  between: ",",
};

const TEXT_FORM: FrameForm = {
  name: (name) => `${name}\n`,
  path: (path) => `${path}:`,
  end: "\n",
  between: "",
};

/** Writes frames of one set of columns. There may be a million: each name and path is made ready once. */
class FrameWriter {
  readonly #columns: FrameColumns;
  readonly #form: FrameForm;
  readonly #functions: string[] = [];
  readonly #symbols: string[] = [];
  readonly #paths: string[] = [];

  constructor(columns: FrameColumns, form: FrameForm) {
    this.#columns = columns;
    this.#form = form;
  }

  frames(at: number): string {
    const { allFrameStart, frameFunction, framePath, frameLine, symbols } = this.#columns;
    const { end: frameEnd, between } = this.#form;
    const from = allFrameStart[at], end = allFrameStart[at + 1];
    const symbol = symbolAt(symbols, this.#columns.allPointOffsets[at]);
    if (from === end) return this.#symbol(symbol) + this.#fileOfSymbol(symbol) + 0 + frameEnd;
    let text = "";
    for (let frame = from; frame < end; frame++) {
      const path = framePath[frame];
      const isOutermost = frame + 1 === end && symbol >= 0;
      if (frame > from) text += between;
      text += isOutermost ? this.#symbol(symbol) : this.#function(frameFunction[frame]);
      text += isOutermost && path === 0 ? this.#fileOfSymbol(symbol) : this.#path(path);
      text += frameLine[frame] + frameEnd;
    }
    return text;
  }

  #function(id: number): string {
    const { linkageName, functionName } = this.#columns;
    return this.#functions[id] ??= this.#form.name(linkageName.get(id) ?? functionName[id]);
  }

  #path(id: number): string {
    return this.#paths[id] ??= this.#form.path(this.#columns.paths[id]);
  }

  #symbol(symbol: number): string {
    if (symbol < 0) return this.#form.name(UNKNOWN);
    return this.#symbols[symbol] ??= this.#form.name(this.#columns.symbols.nameAt(symbol));
  }

  #fileOfSymbol(symbol: number): string {
    const file = symbol < 0 ? undefined : this.#columns.symbols.fileAt(symbol);
    return this.#form.path(file ?? UNKNOWN);
  }
}
