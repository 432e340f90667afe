import type { IndexParts } from "./index_columns.ts";
import type { UnitResults } from "../units/unit_work.ts";

/** Frames in the order of the addresses. */
export type PlacedFrames = Pick<
  IndexParts,
  "allFrameStart" | "frameFunction" | "framePath" | "frameLine"
>;

/** Addresses as offsets from `base`; all code is within 2 GiB of it. */
export function offsetsFrom(addresses: Float64Array, base: number): Int32Array {
  const offsets = new Int32Array(addresses.length);
  for (let at = 0; at < offsets.length; at++) offsets[at] = addresses[at] - base;
  return offsets;
}

/** Indexes of addresses with a frame that is in no function: assembly with line numbers only. */
export function addressesWithoutFunction(results: readonly UnitResults[]): number[] {
  const found: number[] = [];
  for (const { addresses, frames, frameFunction } of results) {
    for (let at = 0, frame = 0; at < addresses.length; frame += frames[at++]) {
      if (frames[at] > 0 && frameFunction[frame] < 0) found.push(addresses[at]);
    }
  }
  return found;
}

/**
 * Brings frames into the order of the addresses.
 *
 * @param count Of all addresses.
 * @param pathMaps Number of each result's paths.
 * @param functionMaps Number of each result's functions.
 * @param bySymbol Number of the function of an address whose frame is in none.
 */
export function placeFrames(
  count: number,
  results: readonly UnitResults[],
  pathMaps: readonly Int32Array[],
  functionMaps: readonly Int32Array[],
  bySymbol: ReadonlyMap<number, number>,
): PlacedFrames {
  const allFrameStart = new Uint32Array(count + 1);
  for (const { addresses, frames } of results) {
    for (let at = 0; at < addresses.length; at++) allFrameStart[addresses[at] + 1] = frames[at];
  }
  for (let index = 0; index < count; index++) allFrameStart[index + 1] += allFrameStart[index];
  const total = allFrameStart[count];
  const frameFunction = new Uint32Array(total);
  const framePath = new Uint32Array(total);
  const frameLine = new Uint32Array(total);
  results.forEach((result, which) => {
    const functionMap = functionMaps[which], pathMap = pathMaps[which];
    const { addresses, frames, frameFunction: from, framePath: path, frameLine: line } = result;
    let frame = 0;
    for (let at = 0; at < addresses.length; at++) {
      const index = addresses[at];
      const next = frame + frames[at];
      for (let to = allFrameStart[index]; frame < next; frame++, to++) {
        const id = from[frame];
        frameFunction[to] = id >= 0 ? functionMap[id] : bySymbol.get(index) ?? 0;
        framePath[to] = pathMap[path[frame]];
        frameLine[to] = line[frame];
      }
    }
  });
  return { allFrameStart, frameFunction, framePath, frameLine };
}
