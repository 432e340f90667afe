import assert from "node:assert/strict";
import { test } from "node:test";
import { FormatError } from "../../../src/errors.ts";
import {
  encodeFrame,
  encodeStart,
  encodeWindow,
  exitStatusFromWait,
  FRAME_HEADER,
  FrameReader,
  FromGuest,
  type GuestSettings,
  ToGuest,
} from "../../../src/machines/guest/guest_protocol.ts";

const SETTINGS: GuestSettings = {
  command: ["sh", "-c", "echo 'a b'\n"],
  cwd: "/home/ü",
  env: { A: "1=2", EMPTY: "" },
  write: ["/out", "/out/in"],
  hostname: "here",
  ownKernel: false,
  input: true,
  terminal: { rows: 24, columns: 300 },
};

test("FrameReader gives the same frames however the bytes are cut", () => {
  const bytes = Uint8Array.from([
    ...encodeFrame(FromGuest.STDOUT, Uint8Array.of(1, 2, 3)),
    ...encodeFrame(FromGuest.READY, new Uint8Array(0)),
    ...encodeFrame(FromGuest.STDERR, new Uint8Array(5000).fill(9)),
  ]);
  const whole = new FrameReader().push(bytes);
  assert.deepEqual(whole.map(({ type, payload }) => [type, payload.length]), [
    [FromGuest.STDOUT, 3],
    [FromGuest.READY, 0],
    [FromGuest.STDERR, 5000],
  ]);
  for (const size of [1, 2, 7, 4096, 65_536]) {
    const reader = new FrameReader();
    const frames = [];
    for (let at = 0; at < bytes.length; at += size) {
      frames.push(...reader.push(bytes.subarray(at, at + size)));
    }
    assert.deepEqual(frames, whole);
  }
});

test("FrameReader keeps an incomplete frame back", () => {
  const reader = new FrameReader();
  const frame = encodeFrame(FromGuest.FAILED, Uint8Array.of(1, 2));
  assert.deepEqual(reader.push(frame.subarray(0, frame.length - 1)), []);
  assert.deepEqual(reader.push(frame.subarray(frame.length - 1)), [{
    type: FromGuest.FAILED,
    payload: Uint8Array.of(1, 2),
  }]);
});

test("FrameReader refuses what no guest sends: nothing grows with a length that the guest's root made up", () => {
  const line = [
    [FromGuest.STDOUT, 0xff, 0xff, 0xff, 0xff],
    [FromGuest.STDOUT, 1, 0, 1, 0],
    [FromGuest.EXIT, 3, 0, 0, 0],
    [0, 0, 0, 0, 0],
    [ToGuest.STDIN, 1, 0, 0, 0],
  ];
  for (const bytes of line) {
    const reader = new FrameReader();
    reader.push(Uint8Array.from(bytes.slice(0, 4)));
    assert.throws(() => reader.push(Uint8Array.from(bytes.slice(4))), FormatError);
  }
  const most = encodeFrame(FromGuest.STDERR, new Uint8Array(65_536).fill(7));
  assert.equal(new FrameReader().push(most)[0]!.payload.length, 65_536);
});

test("FrameReader takes a frame that arrives byte by byte", () => {
  const reader = new FrameReader();
  const frame = encodeFrame(FromGuest.STDOUT, new Uint8Array(65_536).fill(1));
  let frames = 0;
  for (let at = 0; at < frame.length; at++) {
    frames += reader.push(frame.subarray(at, at + 1)).length;
  }
  assert.equal(frames, 1);
});

test("encodeStart writes every setting as a letter, its value and a NUL", () => {
  const frame = encodeStart(SETTINGS);
  assert.equal(frame[0], ToGuest.START);
  const text = new TextDecoder().decode(frame.subarray(FRAME_HEADER));
  assert.deepEqual(text.split("\0"), [
    "C/home/ü",
    "Hhere",
    "Ash",
    "A-c",
    "Aecho 'a b'\n",
    "EA=1=2",
    "EEMPTY=",
    "W/out",
    "W/out/in",
    "I",
    "T24 300",
    "",
  ]);
});

test("encodeStart refuses a NUL, which would begin another setting", () => {
  assert.throws(
    () => encodeStart({ ...SETTINGS, command: ["echo", "a\0W/"] }),
    { name: "TypeError", message: /NUL/ },
  );
});

test("encodeWindow gives rows and columns in two bytes each, low byte first", () => {
  assert.deepEqual([...encodeWindow({ rows: 24, columns: 300 }).subarray(FRAME_HEADER)], [
    24,
    0,
    44,
    1,
  ]);
});

test("exitStatusFromWait follows the shell: the status, or 128 and the signal", () => {
  assert.equal(exitStatusFromWait(0), 0);
  assert.equal(exitStatusFromWait(7 << 8), 7);
  assert.equal(exitStatusFromWait(255 << 8), 255);
  assert.equal(exitStatusFromWait(9), 137);
  // With a core dump, bit 7 is set.
  assert.equal(exitStatusFromWait(11 | 0x80), 139);
});
