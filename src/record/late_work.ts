import type { OriginPoints } from "../kcov/origin.ts";
import type { LateWork, TestRecord } from "./test_record.ts";

/** Whether a record can have late work: only one of a collector has. */
export function takesLateWork({ origins, hits, tree }: TestRecord): boolean {
  return origins !== undefined && hits === null && tree !== undefined;
}

/**
 * A record with its late work. Origins that only the late work has come after the record's own.
 *
 * @param record One that {@linkcode takesLateWork}.
 */
export function withLateWork(record: TestRecord, late: LateWork): TestRecord {
  const { tree, origins = [] } = record;
  const pcs = unionOf(record.pcs, late.pcs);
  const ofRecord = places(record.pcs, pcs), ofLate = places(late.pcs, pcs);
  const points = new Map<number, Uint32Array<ArrayBuffer>>();
  for (const one of origins) points.set(one.origin, moved(one, ofRecord));
  for (const one of late.origins) {
    const known = points.get(one.origin);
    const added = moved(one, ofLate);
    points.set(one.origin, known === undefined ? added : Uint32Array.from(unionOf(known, added)));
  }
  const { pending: _pending, dropped: earlier = 0, ...others } = tree!;
  const dropped = Math.max(earlier, late.dropped);
  return {
    ...record,
    pcs,
    truncated: record.truncated || late.truncated,
    tree: {
      ...others,
      ...(late.pending === 0 ? {} : { pending: late.pending }),
      ...(dropped === 0 ? {} : { dropped }),
    },
    origins: [...points].map(([origin, indexes]) => ({ origin, points: indexes })),
  };
}

/** Two ascending columns as one. */
function unionOf(a: ArrayLike<number>, b: ArrayLike<number>): Float64Array<ArrayBuffer> {
  const all = new Float64Array(a.length + b.length);
  let count = 0;
  for (let i = 0, j = 0; i < a.length || j < b.length;) {
    const isFirst = j === b.length || a[i] <= b[j];
    if (!isFirst || a[i] === b[j]) all[count++] = b[j++];
    else all[count++] = a[i];
    if (isFirst) i++;
  }
  return all.slice(0, count);
}

/** Where each of some ascending values is among `all` of them. */
function places(some: Float64Array, all: Float64Array): Uint32Array {
  const found = new Uint32Array(some.length);
  for (let from = 0, to = 0; from < some.length; from++) {
    while (all[to] !== some[from]) to++;
    found[from] = to;
  }
  return found;
}

function moved({ points }: OriginPoints, to: Uint32Array): Uint32Array<ArrayBuffer> {
  return points.map((point) => to[point]);
}
