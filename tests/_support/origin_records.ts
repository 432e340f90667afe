import type { OriginPoints } from "../../src/kcov/origin.ts";
import type { TestRecord } from "../../src/record/test_record.ts";
import { testRecord } from "./test_records.ts";

/** A generator of whole numbers below `limit`: the same ones for one seed. */
export function wholeNumbers(seed: number): (limit: number) => number {
  let state = seed * 0x9e37_79b1 | 1;
  return (limit) => {
    state = Math.imul(state ^ state >>> 15, 0x2c1b_3c6d);
    state = state + 0x6d2b_79f5 | 0;
    return ((state ^ state >>> 13) >>> 0) % limit;
  };
}

/** Origins of `count` points, each of at least one: neighbours mostly of the same. */
export function madeUpOrigins(
  count: number,
  kinds: number,
  below: (limit: number) => number,
): OriginPoints[] {
  const points = Array.from({ length: kinds }, (): number[] => []);
  let current = [0];
  for (let point = 0; point < count; point++) {
    if (below(4) === 0) {
      current = [...new Set(Array.from({ length: 1 + below(3) }, () => below(kinds)))];
    }
    for (const kind of current) points[kind].push(point);
  }
  return points.map((own, kind) => ({
    origin: kind * 0x2f51 + below(0x100) & 0xffff,
    points: Uint32Array.from(own),
  })).filter(({ points, origin }, at, all) =>
    points.length > 0 && all.findIndex((other) => other.origin === origin) === at
  );
}

/** A record of a collector. PCs without an origin among `origins` are not there. */
export function originRecord(
  origins: Readonly<Record<number, readonly number[]>>,
  parts: Partial<TestRecord> = {},
): TestRecord {
  const pcs = Float64Array.from(new Set(Object.values(origins).flat())).sort();
  return testRecord({
    scope: "tree",
    tree: { tasks: 1, refused: [], finished: true },
    pcs,
    hits: null,
    origins: Object.entries(origins).map(([origin, own]) => ({
      origin: Number(origin),
      points: Uint32Array.from(own, (pc) => pcs.indexOf(pc)).sort(),
    })),
    ...parts,
  });
}
