import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, test } from "node:test";
import { formatAddress } from "../../src/base/address.ts";
import { codeSections } from "../../src/elf/code_sections.ts";
import { readSymbolNames } from "../../src/elf/symbol_names.ts";
import { scanSection } from "../../src/points/scan.ts";
import { buildImageIndex } from "../../src/symbolize/index/build_image_index.ts";
import type { ImageIndex } from "../../src/symbolize/index/image_index.ts";
import { framesAt } from "../../src/symbolize/lookup/point_frames.ts";
import { ImageSymbolizer } from "../../src/symbolize/lookup/image_symbolizer.ts";
import { Riscv64Images } from "../_support/images/riscv64_image.ts";

const images = new Riscv64Images();
after(() => images[Symbol.dispose]());

type Point = [section: string, address: number, isTailCall: number];

function pointsOf(name: "covered.o" | "plain" | "relaxed"): Point[] {
  const elf = images.elf(name);
  return codeSections(elf).flatMap((section) => {
    const { offset, isTailCall } = scanSection(elf, section);
    const base = elf.isModule ? 0 : section.address;
    return Array.from(offset, (at, index): Point => [section.name, base + at, isTailCall[index]]);
  });
}

for (const name of ["plain", "relaxed"] as const) {
  test(`points of a ${name} riscv64 program are the jumps to the callback that objdump shows`, () => {
    const instructions = images.instructions(name);
    const calls = instructions.filter(({ text }) => text.endsWith("<__sanitizer_cov_trace_pc>"));
    const expected = calls.map(({ section, at, text }): Point => [
      section,
      at,
      /^(?:c\.j\t|jalr?\tzero,)/.test(text) ? 1 : 0,
    ]);
    assert.deepEqual(pointsOf(name), expected);
    const kinds = new Set(calls.map(({ text }) => /^\S+\t(?:ra|zero)?/.exec(text)![0]));
    assert.deepEqual(
      [...kinds].sort(),
      name === "plain" ? ["jalr\tra", "jalr\tzero"] : ["c.j\t", "jal\tra", "jalr\tra"],
    );
    // What the kernel records is the return address: where the next instruction begins.
    const { callLength } = images.elf(name).header.machine.code;
    const starts = new Set(instructions.map(({ at }) => at));
    for (const { at, size, text } of calls) {
      if (text.includes("ra,")) assert.ok(size === callLength && starts.has(at + callLength));
    }
  });
}

test("points of a riscv64 module are the relocations of its calls that objdump shows", () => {
  const instructions = images.instructions("covered.o");
  // The relocation is of auipc, and the point is the jump behind it.
  const expected = images.relocations("covered.o")
    .filter(({ symbol }) => symbol === "__sanitizer_cov_trace_pc")
    .map(({ section, at }): Point => {
      const jump = instructions.find((other) => other.section === section && other.at === at + 4);
      assert.match(jump!.text, /^jalr\t/);
      return [section, at + 4, jump!.text.includes("zero,") ? 1 : 0];
    });
  assert.ok(expected.length > 15);
  assert.deepEqual(pointsOf("covered.o"), expected);
});

test("frames of every address of riscv64 code equal addr2line's and llvm-symbolizer's", async () => {
  for (const name of ["plain", "relaxed"] as const) {
    const addresses = images.instructions(name).map(({ at }) => at);
    const path = images.path(name);
    using symbolizer = new ImageSymbolizer(path, { cacheFolder: null });
    const symbolized = await symbolizer.symbolize(
      addresses.map((address) => address + symbolizer.callLength),
    );
    const found = addresses.map((_, at) =>
      symbolized.frames(at)?.map(({ function: name, path, line }) => `${name} ${path}:${line}`)
    );
    for (const judge of [addr2line, llvmSymbolizer]) {
      assert.deepEqual(found, judge(path, addresses), `${name}, ${judge.name}`);
    }
  }
});

function addr2line(path: string, addresses: readonly number[]): string[][] {
  const output = execFileSync(
    "riscv64-linux-gnu-addr2line",
    ["-a", "-f", "-i", "-e", path, ...addresses.map(formatAddress)],
    { encoding: "utf8" },
  );
  return output.split(/^0x[0-9a-f]+\n/m).slice(1).map(judgedFrames);
}

function llvmSymbolizer(path: string, addresses: readonly number[]): string[][] {
  const output = execFileSync("llvm-symbolizer", ["--inlines", "-e", path], {
    encoding: "utf8",
    input: addresses.map((address) => `${formatAddress(address)}\n`).join(""),
  });
  return output.trimEnd().split("\n\n").map(judgedFrames);
}

/** Frames of a judge: a line for the function and one for the place, which may end in a column. */
function judgedFrames(block: string): string[] {
  const lines = block.trim().split("\n");
  return Array.from({ length: lines.length / 2 }, (_, index) => {
    const place = lines[index * 2 + 1].replace(/ \(discriminator \d+\)$/, "");
    return `${lines[index * 2]} ${place.replace(/^(.*:\d+):\d+$/, "$1")}`;
  });
}

test("a riscv64 module, relocated here, has the frames and lines of the program that ld links of it", () => {
  const module = buildImageIndex(images.elf("covered.o"));
  const linked = buildImageIndex(images.elf("plain"));
  const relaxed = buildImageIndex(images.elf("relaxed"));
  assert.deepEqual([module, linked].map(({ machine }) => machine), ["riscv64", "riscv64"]);
  assert.ok(framesOf(linked).some((frames) => frames.length === 2), "an inline function");
  assert.deepEqual(framesOf(module), framesOf(linked));
  assert.deepEqual(framesOf(relaxed), framesOf(linked));
  assert.ok(linked.lineNumber.length > 15);
  assert.deepEqual(linesOf(module), linesOf(linked));
  assert.deepEqual(linesOf(relaxed), linesOf(linked));
});

/** The lines that each point claims. */
function linesOf(index: ImageIndex): number[][] {
  const { claimStart, claimLine, lineNumber } = index;
  return Array.from(
    index.pointOffset,
    (_, point) =>
      Array.from(
        claimLine.subarray(claimStart[point], claimStart[point + 1]),
        (at) => lineNumber[at],
      ),
  );
}

function framesOf(index: ImageIndex): string[][] {
  return Array.from(
    index.allPointOffsets,
    (_, point) =>
      framesAt(index, point).map(({ symbol, path, line }) => `${symbol} ${path}:${line}`),
  );
}

test("functions of riscv64 images are named by their symbols, not by marks of the assembler", () => {
  for (const name of ["covered.o", "relaxed"] as const) {
    const elf = images.elf(name);
    const symbols = readSymbolNames(elf, 0);
    const names = Array.from(symbols.address, (_, at) => symbols.nameAt(at));
    const wanted = ["branches", "empty", "init", "tail"];
    if (name === "relaxed") wanted.push("__sanitizer_cov_trace_pc", "_start", "other");
    assert.deepEqual(names.sort(), wanted.sort());
  }
});
