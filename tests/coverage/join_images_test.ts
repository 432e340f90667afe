import assert from "node:assert/strict";
import { test } from "node:test";
import type { CoverageImage } from "../../src/coverage/coverage_image.ts";
import { joinImages } from "../../src/coverage/join_images.ts";
import type { CoveredModule } from "../../src/coverage/module_coverage.ts";
import { resolvePoints } from "../../src/coverage/point_hits.ts";
import { RunCoverage } from "../../src/coverage/run_coverage.ts";
import { buildUniverse } from "../../src/coverage/universe.ts";
import { FormatError } from "../../src/errors.ts";
import { buildIndex, buildRecord, smallKernel } from "../_support/images/index_builder.ts";

/** A module with a file of its own and the kernel's header, whose function it has a copy of. */
function module(name: string): CoverageImage & { name: string } {
  const image = buildIndex(
    [
      { name: "ext_read", file: "fs/ext/read.c", line: 3, endLine: 9 },
      { name: "get_page", file: "include/linux/mm.h", line: 5, endLine: 8 },
    ],
    [
      { offset: 0x10, frames: [{ function: 0, line: 3 }], claims: [3] },
      {
        offset: 0x20,
        frames: [{ function: 1, line: 6 }, { function: 0, line: 5 }],
        claims: [6, 7, 99],
      },
      { offset: 0x30, unknown: true, frames: [{ function: 0, line: 8 }], claims: [8] },
    ],
    0,
  );
  return { ...image, name, problems: ["a unit is damaged"] };
}

/** What a point claims and the chain of its frames, in words. */
function describe(image: CoverageImage, point: number): unknown {
  const lines = [...image.claimLine.slice(image.claimStart[point], image.claimStart[point + 1])];
  const frames = [];
  for (let frame = image.frameStart[point]; frame < image.frameStart[point + 1]; frame++) {
    const f = image.frameFunction[frame];
    frames.push([
      image.functionName[f],
      image.files[image.functionFile[f]],
      image.functionLine[f],
      image.files[image.frameFile[frame]],
      image.frameLine[frame],
    ]);
  }
  return {
    unknown: image.pointUnknown[point],
    frames,
    lines: lines.map((line) => `${image.files[image.lineFile[line]]}:${image.lineNumber[line]}`)
      .sort(),
  };
}

test("each point keeps its frames and lines", () => {
  const parts = [smallKernel(), module("a"), module("b")] as const;
  const { image, start, firstPoint } = joinImages(parts[0], parts.slice(1) as never);
  assert.equal(image.pointOffset.length, parts.reduce((n, part) => n + part.pointOffset.length, 0));
  let point = 0;
  parts.forEach((part, i) => {
    if (i > 0) assert.equal(firstPoint[i - 1], point);
    for (let p = 0; p < part.pointOffset.length; p++, point++) {
      assert.deepEqual(describe(image, point), describe(part, p));
      assert.equal(image.pointOffset[point], part.pointOffset[p] + (i === 0 ? 0 : start[i - 1]));
    }
  });
  for (const column of [image.pointOffset, image.allPointOffsets]) {
    assert.deepEqual([...column], [...new Set(column)].sort((x, y) => x - y), "ascending");
  }
  assert.deepEqual(image.problems, ["a: a unit is damaged", "b: a unit is damaged"]);
});

test("lines ascend within their files, and a header's lines are one for all images", () => {
  const { image } = joinImages(smallKernel(), [module("a"), module("b")]);
  const keys = Array.from(image.lineFile, (file, i) => file * 1e6 + image.lineNumber[i]);
  assert.deepEqual(keys, [...new Set(keys)].sort((x, y) => x - y));
  assert.deepEqual(image.files, [...new Set(image.files)]);
  const alone = buildUniverse(smallKernel()), universe = buildUniverse(image);
  function pointsOf(of: typeof universe, file: string, number: number): number {
    const line = of.image.lineNumber.findIndex((n, i) =>
      n === number && of.image.files[of.image.lineFile[i]] === file
    );
    return line < 0 ? 0 : of.linePoints[line];
  }
  const header = "include/linux/mm.h";
  assert.equal(pointsOf(universe, header, 6), pointsOf(alone, header, 6) + 2);
  assert.equal(pointsOf(universe, header, 99), 2);
  assert.equal(pointsOf(universe, "fs/ext/read.c", 3), 2);
  const names = universe.functions.name.filter((name) => name === "get_page");
  assert.deepEqual(names, ["get_page"], "a header's function is one");
});

test("without modules the image is the kernel's own, column for column", () => {
  const kernel = smallKernel();
  assert.deepEqual(joinImages(kernel, []).image, kernel);
});

test("hits of a module count in its points and lines, and no module's in the kernel's", () => {
  const kernel = smallKernel(), parts = [module("a"), module("b")];
  const { image, start, firstPoint } = joinImages(kernel, parts);
  const record = buildRecord(image, "test", [0x10, start[1] + 0x10, start[1] + 0x20]);
  assert.deepEqual([...resolvePoints(image, record).points], [
    0,
    firstPoint[1],
    firstPoint[1] + 1,
  ]);
  const modules = parts.map((part, i): CoveredModule => ({
    name: part.name,
    buildId: "",
    firstPoint: firstPoint[i],
    points: part.pointOffset.length,
    addresses: [],
  }));
  const coverage = new RunCoverage(buildUniverse(image), [record], { modules });
  assert.deepEqual(coverage.modules.map(({ name, hit, points }) => [name, hit, points]), [
    ["a", 0, 3],
    ["b", 2, 3],
  ]);
});

test("PCs in a module without an image are counted, by module and with the reason", () => {
  const image = smallKernel();
  const start = 2 ** 50;
  const modules: CoveredModule[] = ["z", "m"].map((name, i) => ({
    name,
    buildId: "",
    firstPoint: 0,
    points: 0,
    missing: `no ${name}.ko`,
    addresses: [{ start: start + i * 2 ** 32, end: start + (i + 1) * 2 ** 32 }],
  }));
  const record = buildRecord(image, "test", [0x10, 0x40_0000]);
  const pcs = Float64Array.of(...record.pcs, start + 5, start + 9, start + 2 ** 32 + 1, 2 ** 51);
  const coverage = new RunCoverage(
    buildUniverse(image),
    [{ ...record, pcs, hits: new Uint32Array(pcs.length).fill(1) }],
    { modules },
  );
  assert.deepEqual(coverage.modules, [
    { name: "m", buildId: "", points: 0, hit: 0, lost: 1, missing: "no m.ko" },
    { name: "z", buildId: "", points: 0, hit: 0, lost: 2, missing: "no z.ko" },
  ]);
  assert.equal(coverage.unresolved["module-image"], 3);
  assert.equal(coverage.unresolved["outside-image"], 2);
});

test("a module of another machine is refused by name", () => {
  const other = { ...module("odd"), machine: "arm64" as const };
  assert.throws(
    () => joinImages(smallKernel(), [other]),
    (error) => error instanceof FormatError && /odd/.test(error.message),
  );
});
