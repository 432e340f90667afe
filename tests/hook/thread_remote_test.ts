import assert from "node:assert/strict";
import { test } from "node:test";
import { REMOTE_ORIGIN } from "../../src/kcov/remote/join_remote.ts";
import type { TestRecord } from "../../src/record/test_record.ts";
import { onFakeKernel } from "../_support/hook/fake_thread.ts";

const OWN = 0x6000_0010, WORKER = 0x6000_0020, BOTH = 0x6000_0030;

/** PCs of an origin, with their hits. */
function ofOrigin({ pcs, origins = [] }: TestRecord, wanted: number): [number, number][] {
  return origins.filter(({ origin }) => origin === wanted)
    .flatMap(({ points, hits }) =>
      [...points].map((point, at): [number, number] => [pcs[point], hits![at]])
    );
}

for (const name of ["with the option", "under a preload"]) {
  test(`${name}: workers' points are in the record of the test that asks for them, beside its own`, () => {
    onFakeKernel(({ libc, start, records }) => {
      const coverage = start("asks", name === "with the option" ? { remote: ["common"] } : {});
      if (name === "under a preload") coverage.addRemote(["common"]);
      libc.record(BigInt(OWN), BigInt(BOTH));
      libc.recordRemotely(BigInt(WORKER), BigInt(BOTH), BigInt(WORKER));
      coverage.end("passed");
      libc.recordRemotely(0x6000_0999n);
      const next = start("asks too", { remote: ["common"] });
      libc.recordRemotely(BigInt(WORKER));
      next.end("passed");
      const other = start("does not");
      libc.record(BigInt(OWN));
      libc.recordRemotely(BigInt(WORKER));
      other.end("passed");
      const [asks, asksToo, doesNot] = records();
      assert.deepEqual([...asks.pcs], [OWN, WORKER, BOTH]);
      assert.deepEqual([...asks.hits!], [1, 2, 2]);
      assert.deepEqual(ofOrigin(asks, REMOTE_ORIGIN), [[WORKER, 2], [BOTH, 1]]);
      assert.deepEqual(ofOrigin(asksToo, REMOTE_ORIGIN), [[WORKER, 1]]);
      assert.deepEqual([...doesNot.pcs], [OWN]);
      assert.equal(doesNot.origins, undefined);
    });
  });
}

test("where the kernel has one device for a thread, its workers alone are recorded", () => {
  onFakeKernel(({ libc, start, records }) => {
    const before = start("before");
    libc.record(BigInt(OWN), BigInt(OWN));
    before.end("passed");
    const coverage = start("asks", { remote: ["common"] });
    libc.record(BigInt(OWN));
    libc.recordRemotely(BigInt(WORKER));
    coverage.end("passed");
    const after = start("after");
    libc.record(BigInt(OWN));
    after.end("passed");
    const [, asks, last] = records();
    assert.deepEqual([...asks.pcs], [WORKER]);
    assert.deepEqual([...asks.hits!], [1]);
    assert.deepEqual([...last.pcs], [OWN]);
  }, { bothKinds: false });
});

test("a handle that another process has is replaced by another", () => {
  onFakeKernel(({ libc, start, records }) => {
    const coverage = start("asks", { remote: ["common"] });
    libc.recordRemotely(BigInt(WORKER));
    coverage.end("passed");
    assert.equal(libc.log.filter((step) => step === "KCOV_REMOTE_ENABLE").length, 4);
    assert.deepEqual([...records()[0].pcs], [WORKER]);
  }, { takenHandles: 3 });
});

test("a bus that another program records costs its points and not the test's own", () => {
  onFakeKernel(({ libc, start, records }) => {
    const coverage = start("asks", { remote: ["usb:1"] });
    libc.record(BigInt(OWN));
    coverage.end("passed");
    assert.deepEqual([...records()[0].pcs], [OWN]);
  }, { takenHandles: 1 });
});
