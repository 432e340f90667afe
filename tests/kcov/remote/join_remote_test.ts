import assert from "node:assert/strict";
import { test } from "node:test";
import { KCOV_CALL } from "../../../src/kcov/origin.ts";
import { joinRemote, REMOTE_ORIGIN } from "../../../src/kcov/remote/join_remote.ts";
import {
  busHandles,
  newCommonHandle,
  parseRemoteSources,
} from "../../../src/kcov/remote/remote_sources.ts";

test("remote points are beside a thread's own, with an origin of their own", () => {
  const own = {
    pcs: Float64Array.of(10, 30),
    hits: Uint32Array.of(2, 1),
    origins: [{ origin: 257, points: Uint32Array.of(0, 1), hits: Uint32Array.of(2, 1) }],
  };
  const remote = { pcs: Float64Array.of(20, 30), hits: Uint32Array.of(5, 7) };
  assert.deepEqual(joinRemote(own, remote), {
    pcs: Float64Array.of(10, 20, 30),
    hits: Uint32Array.of(2, 5, 8),
    origins: [
      { origin: 257, points: Uint32Array.of(0, 2), hits: Uint32Array.of(2, 1) },
      { origin: REMOTE_ORIGIN, points: Uint32Array.of(1, 2), hits: Uint32Array.of(5, 7) },
    ],
  });
  const none = { pcs: new Float64Array(0), hits: new Uint32Array(0) };
  assert.equal(joinRemote(own, none), own);
});

test("where a thread's calls are not known its points have the origin of none", () => {
  const own = { pcs: Float64Array.of(10), hits: Uint32Array.of(2) };
  const remote = { pcs: Float64Array.of(20), hits: Uint32Array.of(5) };
  assert.deepEqual(joinRemote(own, remote).origins!.map(({ origin }) => origin), [
    KCOV_CALL.none,
    REMOTE_ORIGIN,
  ]);
});

test("sources are common and USB buses, each once, and their handles as the kernel has them", () => {
  assert.deepEqual(parseRemoteSources("common,usb:1,common"), ["common", "usb:1"]);
  assert.deepEqual(parseRemoteSources(""), []);
  for (const wrong of ["usb", "usb:0", "usb:256", "usb:1.5", "commons", "usb:-1"]) {
    assert.throws(() => parseRemoteSources(wrong), TypeError, wrong);
  }
  assert.deepEqual(busHandles(["usb:3", "common"]), [1n << 56n | 3n]);
  for (let i = 0; i < 100; i++) {
    const handle = newCommonHandle();
    assert.ok(handle > 0n && handle < 1n << 32n);
  }
});
