import type { Address } from "../../base/address.ts";
import { lowerBound } from "../../base/search.ts";
import type { DecodedPcs } from "../decode_pcs.ts";
import { KCOV_CALL, KCOV_HOW, KCOV_HOW_SHIFT, type OriginPoints } from "../origin.ts";

/** The origin of what is recorded remotely: which call it goes back to is not known. */
export const REMOTE_ORIGIN: number = KCOV_HOW.remote << KCOV_HOW_SHIFT | KCOV_CALL.none;
const OWN_ORIGIN = KCOV_HOW.own << KCOV_HOW_SHIFT | KCOV_CALL.none;

/** What a thread ran, and what was done on its behalf, with the origin of each. */
export function joinRemote(own: DecodedPcs, remote: DecodedPcs): DecodedPcs {
  if (remote.pcs.length === 0) return own;
  const pcs = unionOf(own.pcs, remote.pcs);
  const origins: OriginPoints[] = (own.origins ?? wholeOf(own, OWN_ORIGIN)).map((one) => ({
    ...one,
    points: one.points.map((point) => lowerBound(pcs, own.pcs[point])),
  }));
  origins.push({
    origin: REMOTE_ORIGIN,
    points: Uint32Array.from(remote.pcs, (pc) => lowerBound(pcs, pc)),
    hits: remote.hits,
  });
  const hits = new Uint32Array(pcs.length);
  for (const { pcs: some, hits: times } of [own, remote]) {
    for (let at = 0; at < some.length; at++) hits[lowerBound(pcs, some[at])] += times[at];
  }
  return { pcs, hits, origins };
}

function wholeOf({ pcs, hits }: DecodedPcs, origin: number): OriginPoints[] {
  if (pcs.length === 0) return [];
  return [{ origin, points: Uint32Array.from(pcs.keys()), hits }];
}

function unionOf(
  a: Float64Array,
  b: Float64Array,
): Float64Array<ArrayBuffer> & ArrayLike<Address> {
  const all = new Float64Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  all.sort();
  return all.filter((pc, at) => at === 0 || pc !== all[at - 1]);
}
