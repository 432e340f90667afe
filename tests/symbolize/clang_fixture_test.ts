import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { elfFileOf } from "../../src/elf/elf_file.ts";
import { buildImageIndex } from "../../src/symbolize/index/build_image_index.ts";
import { framesAt } from "../../src/symbolize/lookup/point_frames.ts";

const FOLDER = new URL("../data/clang/", import.meta.url);

interface ExpectedPoint {
  readonly address: number;
  /** `function` and `file:line`, innermost first. */
  readonly frames: readonly (readonly [name: string, place: string])[];
}

/** Reads what llvm-symbolizer printed: blocks of an address and two lines a frame. */
function readFrames(file: string): ExpectedPoint[] {
  const blocks = readFileSync(new URL(`${file}.frames`, FOLDER), "utf8").trim().split("\n\n");
  return blocks.map((block) => {
    const [address, ...lines] = block.split("\n");
    const frames: [string, string][] = [];
    for (let at = 0; at < lines.length; at += 2) {
      frames.push([lines[at], lines[at + 1].replace(/:\d+$/, "")]);
    }
    return { address: Number(address), frames };
  });
}

for (
  const [file, what] of [
    ["dwarf5", "clang's DWARF 5 with strx, addrx and rnglistx forms"],
    ["dwarf4", "clang's DWARF 4"],
    ["lto", "units that refer to each other after link-time optimization"],
    ["object", "an object that is not linked"],
  ]
) {
  test(`frames of ${what} equal llvm-symbolizer's for every point`, () => {
    const index = buildImageIndex(elfFileOf(readFileSync(new URL(file, FOLDER))));
    assert.deepEqual(index.problems, []);
    const found = Array.from(index.allPointOffsets, (offset, point): ExpectedPoint => ({
      address: index.base + offset,
      frames: framesAt(index, point).map((frame) => [
        frame.function,
        `${frame.path}:${frame.line}`,
      ]),
    }));
    const expected = readFrames(file);
    assert.ok(expected.length >= 7, "the fixture has points");
    assert.deepEqual(found, expected);
  });

  test(`each point of ${what} claims the line that it is on`, () => {
    const index = buildImageIndex(elfFileOf(readFileSync(new URL(file, FOLDER))));
    for (let point = 0; point < index.pointOffset.length; point++) {
      const claimed = index.claimLine.subarray(
        index.claimStart[point],
        index.claimStart[point + 1],
      );
      const places = Array.from(
        claimed,
        (line) => [index.lineFile[line], index.lineNumber[line]].join(":"),
      );
      const frame = index.frameStart[point];
      const line = index.frameLine[frame];
      // Line 0 is clang's word for code that no line stands for.
      if (line > 0) assert.ok(places.includes([index.frameFile[frame], line].join(":")));
    }
  });
}
