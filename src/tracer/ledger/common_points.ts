import type { TestRecord } from "../../record/test_record.ts";

/** The record `a` with the points that `b` has too, each as often as in the record that has it less often. */
export function commonPoints(a: TestRecord, b: TestRecord): TestRecord {
  const pcs = new Float64Array(Math.min(a.pcs.length, b.pcs.length));
  const hits = a.hits === null || b.hits === null ? null : new Uint32Array(pcs.length);
  let length = 0;
  for (let i = 0, j = 0; i < a.pcs.length && j < b.pcs.length;) {
    if (a.pcs[i] < b.pcs[j]) i++;
    else if (a.pcs[i] > b.pcs[j]) j++;
    else {
      pcs[length] = a.pcs[i];
      if (hits !== null) hits[length] = Math.min(a.hits![i], b.hits![j]);
      length++, i++, j++;
    }
  }
  return { ...a, pcs: pcs.slice(0, length), hits: hits?.slice(0, length) ?? null };
}
