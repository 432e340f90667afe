import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { FormatError } from "../../src/errors.ts";
import { encodeIndex } from "../../src/symbolize/index/encode_index.ts";
import { decodeIndex } from "../../src/symbolize/index/image_index_file.ts";
import type { ImageIndex } from "../../src/symbolize/index/image_index.ts";
import { rememberedIndex } from "../../src/symbolize/index/cached_index.ts";
import type { IndexParts } from "../../src/symbolize/index/index_columns.ts";
import { loadImageIndex, loadImageIndexSync } from "../../src/symbolize/index/load_index.ts";
import { framesAt } from "../../src/symbolize/lookup/point_frames.ts";
import { SmallImage } from "../_support/images/small_image.ts";

const image = new SmallImage();
const folder = mkdtempSync(join(tmpdir(), "kernelcov-cache-"));
after(() => {
  image[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});

/** Everything that an index tells, as plain data. */
function told(index: ImageIndex): unknown {
  return {
    ...Object.fromEntries(
      Object.keys(index).map((key) => [key, index[key as keyof ImageIndex]]).filter(([, value]) =>
        typeof value !== "object"
      ),
    ),
    columns: [
      index.pointOffset,
      index.pointUnknown,
      index.frameStart,
      index.frameFunction,
      index.frameFile,
      index.frameLine,
      index.claimStart,
      index.claimLine,
      index.lineFile,
      index.lineNumber,
      index.functionFile,
      index.functionLine,
      index.functionEndLine,
    ].map((column) => Array.from(column)),
    texts: [index.functionName, index.files, index.paths, index.problems],
    frames: Array.from(index.allPointOffsets, (_, point) => framesAt(index, point)),
  };
}

test("an index comes back from the cache as it was built, sync or not", async () => {
  const built = await loadImageIndex(image.path, { cacheFolder: folder });
  const [file] = readdirSync(folder);
  assert.equal(file, `${built.buildId}.index`);
  assert.deepEqual(told(await loadImageIndex(image.path, { cacheFolder: folder })), told(built));
  assert.deepEqual(told(loadImageIndexSync(image.path, { cacheFolder: folder })), told(built));
  assert.deepEqual(told(loadImageIndexSync(image.path, { cacheFolder: null })), told(built));
});

test("a damaged cache file is never believed: any byte changed, any length cut", () => {
  const parts = image.index as ImageIndex & IndexParts;
  const bytes = encodeIndex({ ...parts, universeCount: parts.pointOffset.length }, "f");
  assert.equal(decodeIndex(bytes, parts.buildId, "f").machine, "x86-64");
  for (let at = 0; at < bytes.length; at++) {
    const changed = bytes.slice();
    changed[at] ^= 1 << at % 8;
    assert.throws(() => decodeIndex(changed, parts.buildId, "f"), FormatError, `byte ${at}`);
  }
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => decodeIndex(bytes.slice(0, length), parts.buildId, "f"), FormatError);
  }
});

test("a cache file of other data or another build is not believed", () => {
  const parts = image.index as ImageIndex & IndexParts;
  const bytes = encodeIndex({ ...parts, universeCount: parts.pointOffset.length }, "f");
  assert.throws(() => decodeIndex(bytes, parts.buildId, "g"), FormatError);
  assert.throws(() => decodeIndex(bytes, "00", "f"), FormatError);
});

test("a damaged or empty cache file is built again and replaced", () => {
  const path = join(folder, `${image.index.buildId}.index`);
  const whole = readFileSync(path);
  for (
    const damage of [
      new Uint8Array(0),
      whole.subarray(0, 100),
      whole.map((byte, at) => at === 99 ? ~byte : byte),
    ]
  ) {
    writeFileSync(path, damage);
    const index = loadImageIndexSync(image.path, { cacheFolder: folder });
    assert.deepEqual(told(index), told(image.index));
    assert.deepEqual(readFileSync(path), whole);
  }
  assert.deepEqual(readdirSync(folder).length, 1);
});

test("a cache folder that is a file costs time only", () => {
  const file = join(folder, "file");
  writeFileSync(file, "");
  assert.deepEqual(told(loadImageIndexSync(image.path, { cacheFolder: file })), told(image.index));
  assert.equal(rememberedIndex(image.index.buildId, { cacheFolder: file }), undefined);
});
