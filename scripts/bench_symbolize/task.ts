/**
 * One whole process of the symbolizer's benchmark: reads PCs from a file, finds all their frames, and visits each frame's
 * function, path and line (`frames`) or writes them as `llvm-symbolizer` does (`text`); or builds the whole index, claimed
 * lines included, and stores it (`index`).
 *
 *   task.ts frames|text|index IMAGE PCS CACHE|-
 */
import { readFileSync, writeSync } from "node:fs";
import process from "node:process";
import { parsePcText } from "../../src/base/pc_text.ts";
import { ImageSymbolizer } from "../../src/symbolize/image_symbolizer.ts";
import type { SymbolizedPcs } from "../../src/symbolize/symbolized_pcs.ts";
import { symbolizedText } from "../../src/symbolize/symbolized_text.ts";

const [mode, image, pcsFile, cache] = process.argv.slice(2);
using symbolizer = new ImageSymbolizer(image, { cacheFolder: cache === "-" ? null : cache });
const encoder = new TextEncoder();
if (mode === "index") {
  const { claimLine, frameLine } = await symbolizer.index();
  writeAll(encoder.encode(`${frameLine.length} ${claimLine.length}\n`));
} else {
  const symbolized = await symbolizer.symbolize(parsePcText(readFileSync(pcsFile)));
  if (mode === "text") {
    for (const piece of symbolizedText(symbolized)) writeAll(encoder.encode(piece));
  } else {
    const { frames, characters, lines } = visitFrames(symbolized);
    writeAll(encoder.encode(`${frames} ${characters} ${lines}\n`));
  }
}

/** Adds up what a report would read of each frame, so that nothing can be left out. */
function visitFrames(
  { length, tables, table, at }: SymbolizedPcs,
): { frames: number; characters: number; lines: number } {
  let frames = 0, characters = 0, lines = 0;
  for (let index = 0; index < length; index++) {
    if (table[index] < 0) continue;
    const columns = tables[table[index]];
    const end = columns.everyFrameStart[at[index] + 1];
    for (let frame = columns.everyFrameStart[at[index]]; frame < end; frame++) {
      frames++;
      characters += columns.functionName[columns.frameFunction[frame]].length +
        columns.paths[columns.framePath[frame]].length;
      lines += columns.frameLine[frame];
    }
  }
  return { frames, characters, lines };
}

function writeAll(bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) {
    done += writeSync(1, bytes, done, bytes.length - done);
  }
}
