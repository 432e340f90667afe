import type { OriginPoints } from "../../kcov/origin.ts";
import type { TestRecord } from "../../record/test_record.ts";

/**
 * The record `a` with the points that `b` has too, each as often as in the record that has it less often, and with the
 * origins that it has in `a`.
 */
export function commonPoints(a: TestRecord, b: TestRecord): TestRecord {
  const pcs = new Float64Array(Math.min(a.pcs.length, b.pcs.length));
  const hits = a.hits === null || b.hits === null ? null : new Uint32Array(pcs.length);
  const places = new Int32Array(a.pcs.length).fill(-1);
  let length = 0;
  for (let i = 0, j = 0; i < a.pcs.length && j < b.pcs.length;) {
    if (a.pcs[i] < b.pcs[j]) i++;
    else if (a.pcs[i] > b.pcs[j]) j++;
    else {
      pcs[length] = a.pcs[i];
      if (hits !== null) hits[length] = Math.min(a.hits![i], b.hits![j]);
      places[i] = length;
      length++, i++, j++;
    }
  }
  return {
    ...a,
    pcs: pcs.slice(0, length),
    hits: hits?.slice(0, length) ?? null,
    ...(a.origins === undefined ? {} : { origins: keptOrigins(a.origins, places) }),
  };
}

/** @param places where each point is now; -1 for one that is left out */
function keptOrigins(origins: readonly OriginPoints[], places: Int32Array): OriginPoints[] {
  return origins.map(({ origin, points }) => ({
    origin,
    points: points.map((point) => places[point] + 1).filter((place) => place > 0)
      .map((place) => place - 1),
  })).filter(({ points }) => points.length > 0);
}
