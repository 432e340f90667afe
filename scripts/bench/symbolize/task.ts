/**
 * One whole process of the symbolizer's benchmark: reads PCs from a file, finds all their frames, and visits each frame's
 * function, path and line (`frames`) or writes them as `llvm-symbolizer` does (`text`); or builds the whole index, claimed
 * lines included, and stores it (`index`).
 *
 *   task.ts frames|text|index IMAGE PCS CACHE|-
 */
import { parsePcText } from "../../../src/base/pc_text.ts";
import { ImageSymbolizer } from "../../../src/symbolize/lookup/image_symbolizer.ts";
import type { SymbolizedPcs } from "../../../src/symbolize/lookup/symbolized_pcs.ts";
import { nodeBuiltin } from "../../../src/sys/node_builtins.ts";
import { readWholeFile } from "../../../src/sys/open_file.ts";
import { scriptArguments } from "../../../src/sys/runtime.ts";

const [mode, image, pcsFile, cache] = scriptArguments();
using symbolizer = new ImageSymbolizer(image, { cacheFolder: cache === "-" ? null : cache });
const encoder = new TextEncoder();
if (mode === "index") {
  const { claimLine, frameLine } = await symbolizer.index();
  writeAll(encoder.encode(`${frameLine.length} ${claimLine.length}\n`));
} else {
  const symbolized = await symbolizer.symbolize(parsePcText(readWholeFile(pcsFile)));
  if (mode === "text") {
    const { symbolizedText } = await import("../../../src/symbolize/lookup/symbolized_text.ts");
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
  tables.forEach((columns, number) => {
    const { allFrameStart, frameFunction, framePath, frameLine, functionName, paths } = columns;
    for (let index = 0; index < length; index++) {
      if (table[index] !== number) continue;
      const end = allFrameStart[at[index] + 1];
      for (let frame = allFrameStart[at[index]]; frame < end; frame++) {
        frames++;
        characters += functionName[frameFunction[frame]].length + paths[framePath[frame]].length;
        lines += frameLine[frame];
      }
    }
  });
  return { frames, characters, lines };
}

/** By the runtime's own function where it has one, as for all that the task loads. */
function writeAll(bytes: Uint8Array): void {
  const { Deno: deno } = globalThis as { Deno?: { stdout: { writeSync(b: Uint8Array): number } } };
  for (let done = 0; done < bytes.length;) {
    const rest = bytes.subarray(done);
    done += deno === undefined
      ? nodeBuiltin("node:fs").writeSync(1, rest)
      : deno.stdout.writeSync(rest);
  }
}
