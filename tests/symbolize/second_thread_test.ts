import assert from "node:assert/strict";
import { after, test } from "node:test";
import { ImageCode } from "../../src/elf/image_code.ts";
import { OpenImage } from "../../src/kernel/image/open_image.ts";
import {
  buildIndexParts,
  finishIndex,
  planIndex,
} from "../../src/symbolize/index/build_image_index.ts";
import { encodeIndex } from "../../src/symbolize/index/encode_index.ts";
import {
  type PackedResults,
  UnitWorker,
  unpackResults,
  type WorkerTask,
} from "../../src/symbolize/units/parallel_units.ts";
import { shared } from "../../src/symbolize/units/shared_units.ts";
import { UnitReader } from "../../src/symbolize/units/unit_reader.ts";
import { doUnits } from "../../src/symbolize/units/unit_work.ts";
import { WorkerThread } from "../../src/symbolize/units/worker_thread.ts";
import { SmallImage } from "../_support/images/small_image.ts";

const small = new SmallImage();
after(() => small[Symbol.dispose]());

test("an index that two threads made is the one that one thread makes", async () => {
  using image = new OpenImage(small.path);
  const expected = encodeIndex(buildIndexParts(image.elf, image.sections()), "");
  const plan = planIndex(image.elf, image.sections());
  const { headers, work, points } = plan;
  assert.ok(headers.length > 2);
  // The first unit is done here, the others by the second thread.
  const first = [0];
  const own = doUnits(
    new UnitReader(image.sections(), headers),
    points.address,
    work,
    () => first.pop() ?? -1,
    new ImageCode(image.elf),
  );
  using thread = new WorkerThread<WorkerTask, PackedResults>(
    new URL("../../src/symbolize/units/unit_worker.ts", import.meta.url),
  );
  thread.post({
    path: image.path,
    headers,
    addresses: shared(points.address),
    order: shared(work.order),
    start: shared(work.start),
    units: {
      groups: shared(Uint32Array.of(0, 1, headers.length)),
      state: shared(Int32Array.of(1, 0)),
    },
  });
  const other = await thread.answer;
  assert.ok(other !== undefined && other.addresses.length > 0);
  assert.ok(own.addresses.length > 0);
  const results = [own, unpackResults(other)];
  assert.deepEqual(encodeIndex(finishIndex(image.elf, plan, results), ""), expected);
});

test("an index is the same whether the second thread is ready in time or not", async () => {
  using image = new OpenImage(small.path);
  const expected = encodeIndex(buildIndexParts(image.elf, image.sections()), "");
  const plan = planIndex(image.elf, image.sections());
  using worker = new UnitWorker();
  const results = await worker.do(image, plan.headers, plan.points.address, plan.work);
  assert.deepEqual(encodeIndex(finishIndex(image.elf, plan, results), ""), expected);
});
