import type { Address } from "../../../src/base/address.ts";
import type { TestRecord } from "../../../src/record/test_record.ts";
import type { CoverageImage } from "../../../src/coverage/coverage_image.ts";

/** A function of a made-up image. */
export interface FunctionSpec {
  name: string;
  file: string;
  line: number;
  endLine?: number;
}

/** A point of a made-up image. */
export interface PointSpec {
  offset: number;
  unknown?: boolean;
  /** Innermost first: function, index into `functions`, and the line in that function's file. */
  frames: { function: number; line: number }[];
  /** Lines claimed: numbers in the innermost function's file, or `file:line`. */
  claims: (number | string)[];
}

/** Builds an {@linkcode CoverageImage} from functions and points; the lines are those that points claim. */
export function buildIndex(
  functions: readonly FunctionSpec[],
  points: readonly PointSpec[],
  base: Address = 0x6000_0000,
): CoverageImage {
  const files = [...new Set(functions.map(({ file }) => file))];
  const fileId = (file: string): number => {
    const known = files.indexOf(file);
    return known >= 0 ? known : files.push(file) - 1;
  };
  const claimsOf = points.map(({ frames, claims }) =>
    claims.map((claim) => {
      if (typeof claim === "number") {
        return { file: fileId(functions[frames[0]!.function]!.file), line: claim };
      }
      const colon = claim.lastIndexOf(":");
      return { file: fileId(claim.slice(0, colon)), line: Number(claim.slice(colon + 1)) };
    })
  );
  const lines = [
    ...new Map(claimsOf.flat().map((claim) => [`${claim.file}:${claim.line}`, claim])).values(),
  ].sort((a, b) => a.file - b.file || a.line - b.line);
  const lineId = new Map(lines.map(({ file, line }, i) => [`${file}:${line}`, i]));
  const frames = points.flatMap((point) => point.frames);
  return {
    buildId: "0123456789abcdef",
    machine: "x86-64",
    base,
    callLength: 5,
    pointOffset: Uint32Array.from(points, ({ offset }) => offset),
    pointUnknown: Uint8Array.from(points, ({ unknown }) => unknown === true ? 1 : 0),
    frameStart: starts(points.map((point) => point.frames.length)),
    frameFunction: Uint32Array.from(frames, (frame) => frame.function),
    frameFile: Uint32Array.from(frames, (frame) => fileId(functions[frame.function]!.file)),
    frameLine: Uint32Array.from(frames, (frame) => frame.line),
    claimStart: starts(claimsOf.map((claims) => claims.length)),
    claimLine: Uint32Array.from(
      claimsOf.flat(),
      ({ file, line }) => lineId.get(`${file}:${line}`)!,
    ),
    lineFile: Uint32Array.from(lines, ({ file }) => file),
    lineNumber: Uint32Array.from(lines, ({ line }) => line),
    functionName: functions.map(({ name }) => name),
    functionFile: Uint32Array.from(functions, ({ file }) => fileId(file)),
    functionLine: Uint32Array.from(functions, ({ line }) => line),
    functionEndLine: Uint32Array.from(functions, ({ endLine }) => endLine ?? 0),
    files,
    problems: [],
    allPointOffsets: Int32Array.from(points, ({ offset }) => offset),
  };
}

function starts(lengths: readonly number[]): Uint32Array {
  const start = new Uint32Array(lengths.length + 1);
  for (let i = 0; i < lengths.length; i++) start[i + 1] = start[i]! + lengths[i]!;
  return start;
}

/** A record that hit the points at `offsets` of `index`, each as often as `hits` says. */
export function buildRecord(
  index: CoverageImage,
  name: string,
  offsets: readonly number[],
  hits: readonly number[] | null = offsets.map(() => 1),
  rest: Partial<TestRecord> = {},
): TestRecord {
  return {
    name,
    file: "tests/made_up_test.ts",
    outcome: "passed",
    durationMs: 1,
    scope: "thread",
    pcs: Float64Array.from(offsets, (offset) => index.base + offset + index.callLength),
    hits: hits === null ? null : Uint32Array.from(hits),
    truncated: false,
    shared: false,
    callingThreadOnly: false,
    ...rest,
  };
}

/**
 * A small kernel: `fs/pipe.c` with a system call's pair of functions on one line, an inline function of a header
 * that two functions hold, static twins, a function with a tail call only, and a function never entered.
 */
export function smallKernel(): CoverageImage {
  const functions: FunctionSpec[] = [
    { name: "__do_sys_pipe2", file: "fs/pipe.c", line: 10, endLine: 19 },
    { name: "__x64_sys_pipe2", file: "fs/pipe.c", line: 10, endLine: 10 },
    { name: "pipe_write", file: "fs/pipe.c", line: 20, endLine: 39 },
    { name: "pipe_read", file: "fs/pipe.c", line: 40, endLine: 49 },
    { name: "pipe_tail", file: "fs/pipe.c", line: 50, endLine: 52 },
    { name: "get_page", file: "include/linux/mm.h", line: 5, endLine: 8 },
    { name: "sock_read", file: "net/socket.c", line: 3, endLine: 8 },
    { name: "show", file: "net/socket.c", line: 20, endLine: 22 },
    { name: "show", file: "net/socket.c", line: 30, endLine: 32 },
  ];
  const points: PointSpec[] = [
    { offset: 0x10, frames: [{ function: 1, line: 10 }], claims: [10] },
    {
      offset: 0x20,
      frames: [{ function: 0, line: 12 }, { function: 1, line: 10 }],
      claims: [12, 13],
    },
    { offset: 0x100, frames: [{ function: 2, line: 20 }], claims: [20, 21] },
    { offset: 0x120, frames: [{ function: 2, line: 25 }], claims: [21, 25] },
    {
      offset: 0x140,
      frames: [{ function: 5, line: 6 }, { function: 2, line: 26 }],
      claims: [5, 6, "fs/pipe.c:26"],
    },
    { offset: 0x200, frames: [{ function: 3, line: 40 }], claims: [40, 42] },
    {
      offset: 0x220,
      frames: [{ function: 5, line: 6 }, { function: 3, line: 43 }],
      claims: [5, 6, 7, "fs/pipe.c:43"],
    },
    { offset: 0x300, unknown: true, frames: [{ function: 4, line: 50 }], claims: [50, 51] },
    { offset: 0x400, frames: [{ function: 6, line: 3 }], claims: [3, 4] },
    { offset: 0x420, frames: [{ function: 6, line: 5 }], claims: [5] },
    { offset: 0x500, frames: [{ function: 7, line: 20 }], claims: [20] },
    { offset: 0x520, frames: [{ function: 8, line: 30 }], claims: [30] },
  ];
  return buildIndex(functions, points);
}

/** A small generator of numbers below `limit`, the same in every run for one seed. */
export function seededRandom(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

/** A made-up kernel of `files` files with ten functions each, of eight points each; some points are tail calls. */
export function randomKernel(seed: number, files: number): CoverageImage {
  const random = seededRandom(seed);
  const functions: FunctionSpec[] = [];
  const points: PointSpec[] = [];
  for (let file = 0; file < files; file++) {
    for (let f = 0; f < 10; f++) {
      functions.push({
        name: `f${file}_${f}`,
        file: `${["fs", "net", "mm"][file % 3]}/file${file}.c`,
        line: 20 * f + 1,
        endLine: 20 * f + 18,
      });
    }
  }
  for (let f = 0; f < functions.length; f++) {
    for (let p = 0; p < 8; p++) {
      const inlined = random(4) === 0 ? random(functions.length) : f;
      const line = functions[inlined]!.line + random(18);
      const frames = [{ function: inlined, line }];
      if (inlined !== f) frames.push({ function: f, line: functions[f]!.line + 1 });
      const claims = [...new Set([line, line + random(2), line + random(3)])];
      points.push({ offset: points.length * 24, unknown: random(20) === 0, frames, claims });
    }
  }
  return buildIndex(functions, points);
}

/** `count` records that hit points of `index` at random: stretches, as code runs, and a common start. */
export function randomRecords(index: CoverageImage, seed: number, count: number): TestRecord[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, test) => {
    const points = new Set<number>([0, 1, 2]);
    for (let stretch = 1 + random(5); stretch > 0; stretch--) {
      const first = random(index.pointOffset.length);
      const last = Math.min(index.pointOffset.length, first + 1 + random(30));
      for (let p = first; p < last; p++) points.add(p);
    }
    const offsets = [...points].sort((a, b) => a - b).map((p) => index.pointOffset[p]!);
    return buildRecord(index, `test ${test}`, offsets, offsets.map(() => 1 + random(9)), {
      file: `tests/file${test % 3}_test.ts`,
      durationMs: random(100),
    });
  });
}
