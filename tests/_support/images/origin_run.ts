import { RunCoverage } from "../../../src/coverage/run_coverage.ts";
import { buildUniverse } from "../../../src/coverage/universe.ts";
import {
  KCOV_CALL,
  KCOV_HOW,
  KCOV_HOW_SHIFT,
  type OriginPoints,
} from "../../../src/kcov/origin.ts";
import type { TestRecord } from "../../../src/record/test_record.ts";
import { buildRecord, smallKernel } from "./index_builder.ts";

/** An origin of x86-64, 16 bits. */
export function origin(how: keyof typeof KCOV_HOW, call: number): number {
  return KCOV_HOW[how] << KCOV_HOW_SHIFT | call;
}

/** Numbers of system calls of x86-64. */
export const CALL = { read: 0, write: 1, close: 3, socket: 41, connect: 42, pipe2: 293 } as const;

/** Origins of a record of points at `offsets`, ascending, by those that each has. */
export function originsOf(
  offsets: readonly number[],
  byOrigin: readonly (readonly [origin: number, offsets: readonly number[]])[],
): OriginPoints[] {
  return byOrigin.map(([origin, own]) => ({
    origin,
    points: Uint32Array.from(own, (offset) => offsets.indexOf(offset)),
  }));
}

/**
 * A run of the small kernel: a test of pipes, which makes two system calls has a page fault in a child and a runtime beside it; one of
 * sockets, whose packets come in softirq; and one of which the calls are not known.
 */
export function originRun(): RunCoverage {
  const image = smallKernel();
  const record = (
    name: string,
    byOrigin: readonly (readonly [number, readonly number[]])[],
    rest: Partial<TestRecord> = {},
  ): TestRecord => {
    const offsets = [...new Set(byOrigin.flatMap(([, own]) => own))].sort((a, b) => a - b);
    return buildRecord(image, name, offsets, null, {
      scope: "tree",
      tree: { tasks: 1, refused: [], finished: true },
      origins: originsOf(offsets, byOrigin),
      ...rest,
    });
  };
  return new RunCoverage(
    buildUniverse(image),
    [
      record("pipes", [
        [origin("own", CALL.write), [0x100, 0x140]],
        [origin("own", CALL.pipe2), [0x10, 0x20]],
        [origin("child", CALL.write), [0x100, 0x120]],
        [origin("child", KCOV_CALL.pageFault), [0x220]],
        [origin("main", KCOV_CALL.none), [0x100, 0x500]],
      ]),
      record("sockets", [
        [origin("own", CALL.connect), [0x10, 0x400]],
        [origin("net", CALL.connect), [0x140, 0x420]],
        [origin("timer", KCOV_CALL.none), [0x420]],
        [origin("net", CALL.close), [0x140]],
      ]),
      buildRecord(image, "unknown", [0x10, 0x400], null),
    ],
    { kernel: { buildId: image.buildId, release: "6.12.0-test", machine: "x86_64" } },
  );
}
