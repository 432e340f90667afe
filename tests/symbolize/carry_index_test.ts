import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { carryRecords } from "../../src/run/carry_records.ts";
import { carryIndex } from "../../src/symbolize/index/carry_index.ts";
import type { ImageIndex } from "../../src/symbolize/index/image_index.ts";
import { loadImageIndexSync } from "../../src/symbolize/index/load_index.ts";
import { SmallImage } from "../_support/images/small_image.ts";

const PIPE = "fs/pipe.c";
const BEFORE = `int pipe_poll(int mask)
{
	return mask & 7;
}
int pipe_write(int count)
{
	if (count == 0)
		return 0;
	return pipe_poll(count) + 1;
}
int pipe_read(int count)
{
	while (count > 3)
		count = pipe_poll(count - 1);
	return count * 2;
}
`;
const AFTER = BEFORE
  .replace("\treturn 0;", "\treturn pipe_poll(-5) ? 1 : pipe_poll(mask(-6)) * 3;")
  .replace("int pipe_write", "int mask(int);\nint pipe_write");
const MASK = { "lib/mask.c": "int mask(int a)\n{\n\treturn a & 1;\n}\n" };

/** All that reports read of an index, with numbers as what they stand for. */
function readable(index: ImageIndex): unknown {
  const { files, functionName, functionFile, functionLine, functionEndLine } = index;
  const nameOf = (id: number): string =>
    `${functionName[id]} ${files[functionFile[id]]}:${functionLine[id]}-${functionEndLine[id]}`;
  const pointsOf = (start: Uint32Array, what: (at: number) => string): string[][] =>
    Array.from(
      { length: start.length - 1 },
      (_, point) =>
        Array.from({ length: start[point + 1] - start[point] }, (_, at) => what(start[point] + at)),
    );
  return {
    offsets: [...index.allPointOffsets],
    universe: [index.universeStart, index.pointOffset.length, ...index.pointUnknown],
    frames: pointsOf(
      index.allFrameStart,
      (at) => `${nameOf(index.frameFunction[at])} ${index.frameLine[at]}`,
    ),
    claims: pointsOf(index.claimStart, (at) => {
      const line = index.claimLine[at];
      return `${files[index.lineFile[line]]}:${index.lineNumber[line]}`;
    }),
  };
}

test("the index of an image is that of another with what was compiled anew, and points are followed", () => {
  using before = new SmallImage({ ...MASK, [PIPE]: BEFORE });
  using after = new SmallImage({ ...MASK, [PIPE]: AFTER });
  const options = { cacheFolder: join(before.folder, "cache") };
  assert.equal(carryIndex(before.path, after.path, new Set([PIPE]), options), undefined);
  loadImageIndexSync(before.path, options);
  for (const changed of [new Set([PIPE]), "all"] as const) {
    const carried = carryIndex(before.path, after.path, changed, options)!;
    assert.deepEqual(readable(carried.index), readable(after.index), String(changed));
    // It is in the cache: this does not build it.
    assert.equal(loadImageIndexSync(after.path, options).buildId, after.index.buildId);

    // Functions that are as they were lie elsewhere; the points of one that is not are nowhere.
    const names = ["unix_listen", "pipe_read"];
    const records = [...names, "pipe_write"].map((name) =>
      before.record(name, before.pcsOf(name), {
        hits: Uint32Array.from(before.pcsOf(name), (_, at) => at + 1),
      })
    );
    const moved = carryRecords(records, carried);
    assert.deepEqual(moved.incomplete, [2]);
    for (const [at, name] of names.entries()) {
      assert.deepEqual([...moved.records[at].pcs], after.pcsOf(name));
      assert.deepEqual([...moved.records[at].hits!], [...records[at].hits!]);
    }
    assert.notDeepEqual(after.pcsOf("unix_listen"), before.pcsOf("unix_listen"));
  }
});

test("what made the kernel run points is carried with them", () => {
  using before = new SmallImage({ [PIPE]: BEFORE });
  using after = new SmallImage({ [PIPE]: AFTER, ...MASK });
  const options = { cacheFolder: join(before.folder, "cache") };
  loadImageIndexSync(before.path, options);
  // Another unit: nothing says which is which.
  assert.equal(carryIndex(before.path, after.path, "all", options), undefined);
  using same = new SmallImage({ [PIPE]: AFTER.replace("pipe_poll(mask(-6))", "pipe_poll(-6)") });
  const carried = carryIndex(before.path, same.path, new Set([PIPE]), options)!;
  const lost = before.pcsOf("pipe_write"), kept = before.pcsOf("unix_listen");
  const pcs = [...lost, ...kept].sort((a, b) => a - b);
  const points = Uint32Array.from(pcs.keys());
  const record = { ...before.record("all", pcs), origins: [{ origin: 7, points }] };
  const [moved] = carryRecords([record], carried).records;
  const ofKept = moved.origins![0].points;
  assert.equal(ofKept.length, moved.pcs.length);
  assert.deepEqual([...moved.pcs], same.pcsOf("unix_listen"));
});
