import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { formatAddress } from "../../src/base/address.ts";
import { ImageSymbolizer } from "../../src/symbolize/lookup/image_symbolizer.ts";
import { loadImageIndexSync } from "../../src/symbolize/index/load_index.ts";
import { symbolizedJson, symbolizedText } from "../../src/symbolize/lookup/symbolized_text.ts";
import { SmallImage } from "../_support/images/small_image.ts";

const image = new SmallImage();
const cacheFolder = mkdtempSync(join(tmpdir(), "kernelcov-cache-"));
after(() => {
  image[Symbol.dispose]();
  rmSync(cacheFolder, { recursive: true });
});

/** What addr2line of binutils says of addresses: lines of `function` and `file:line`. */
function judged(addresses: readonly number[]): string[][] {
  const input = addresses.map(formatAddress);
  const output = execFileSync("addr2line", ["-a", "-f", "-i", "-e", image.path, ...input], {
    encoding: "utf8",
  });
  return output.split(/^0x[0-9a-f]+\n/m).slice(1).map((block) =>
    block.trim().split("\n").map((line) => line.replace(/ \(discriminator \d+\)$/, ""))
  );
}

/** Raw PCs of every byte of code from the first function to the last, points or not. */
function everyPc(): number[] {
  const { index } = image;
  const from = index.base + index.callLength;
  const size = index.pointOffset[index.pointOffset.length - 1];
  return Array.from({ length: size }, (_, offset) => from + offset);
}

test("frames of every address equal addr2line's, from the index and without one", async () => {
  const pcs = everyPc();
  const expected = judged(pcs.map((pc) => pc - image.index.callLength));
  loadImageIndexSync(image.path, { cacheFolder });
  for (const folder of [null, cacheFolder]) {
    using symbolizer = new ImageSymbolizer(image.path, { cacheFolder: folder });
    const symbolized = await symbolizer.symbolize(pcs);
    const found = pcs.map((_, at) =>
      symbolized.frames(at)?.flatMap((
        { function: name, path, line },
      ) => [name, `${path}:${line}`])
    );
    assert.deepEqual(found, expected);
  }
});

test("PCs may come in any order, and more than once", async () => {
  using symbolizer = new ImageSymbolizer(image.path, { cacheFolder });
  const pcs = image.pcsOf("pipe_write", "unix_listen").reverse();
  const twice = [...pcs, ...pcs];
  const symbolized = await symbolizer.symbolize(twice);
  for (let at = 0; at < twice.length; at++) {
    const outermost = symbolized.frames(at)?.at(-1)?.function;
    assert.ok(outermost === "pipe_write" || outermost === "unix_listen");
    assert.deepEqual(symbolized.frames(at), symbolized.frames(at % pcs.length));
  }
});

test("a PC outside the image's code has a reason instead of frames", async () => {
  using symbolizer = new ImageSymbolizer(image.path, { cacheFolder });
  const symbolized = await symbolizer.symbolize([5, -1, image.index.base + 2 ** 30]);
  for (let at = 0; at < symbolized.length; at++) {
    assert.equal(symbolized.frames(at), undefined);
    assert.equal(symbolized.reason(at), "outside-image");
  }
});

test("JSON has an object a line, in the order of the PCs, with frames or a reason", async () => {
  using symbolizer = new ImageSymbolizer(image.path, { cacheFolder });
  const pcs = [...image.pcsOf("pipe_write"), 5];
  const symbolized = await symbolizer.symbolize(pcs);
  const lines = [...symbolizedJson(symbolized)].join("").trim().split("\n").map((line) =>
    JSON.parse(line)
  );
  assert.deepEqual(lines.map(({ pc }) => pc), pcs.map(formatAddress));
  assert.deepEqual(lines.pop(), { pc: "0x5", reason: "outside the code of every known image" });
  lines.forEach(({ frames }, at) => {
    const expected = symbolized.frames(at)?.map(({ symbol, path, line }) => ({
      function: symbol,
      file: path,
      line,
    }));
    assert.deepEqual(frames, expected);
  });
});

test("text is what llvm-symbolizer writes, columns left out", async () => {
  using symbolizer = new ImageSymbolizer(image.path, { cacheFolder });
  const [pc] = image.pcsOf("unix_never");
  const text = [...symbolizedText(await symbolizer.symbolize([pc, 5]))].join("");
  assert.equal(text, `unix_never\n${image.folder}/net/unix/af_unix.c:10\n\n??\n??:0\n\n`);
});
