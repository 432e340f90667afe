import type { ImageIndex } from "../../symbolize/index/image_index.ts";
import { LineMap } from "./line_map.ts";

/** An image, and the texts that it was built from. */
export interface SourcedImage {
  readonly index: ImageIndex;
  /** `undefined` where the text as it was built is not at hand. */
  source(file: string): string | undefined;
}

/**
 * Finds the points of an image in that of another build: those of the same function, inlined in the same way, of lines
 * whose text is the same in both; where these lines have as many points in both. Others have no counterpart.
 *
 * @returns by point of the older image its number in the newer one, both in `allPointOffsets`; -1 where it is not there
 */
export function projectPoints(older: SourcedImage, newer: SourcedImage): Int32Array {
  const maps = new Map<number, LineMap | undefined>();
  const { files } = older.index;
  const mapOf = (file: number): LineMap | undefined => {
    if (maps.has(file)) return maps.get(file);
    const before = older.source(files[file]), after = newer.source(files[file]);
    const map = before === undefined || after === undefined
      ? undefined
      : new LineMap(before, after);
    maps.set(file, map);
    return map;
  };
  const from = pointsByPlace(older.index, (file, line) => mapOf(file)?.lineOf(line) ?? 0);
  const to = pointsByPlace(newer.index, (_, line) => line);
  const found = new Int32Array(older.index.allPointOffsets.length).fill(-1);
  for (const [place, points] of from) {
    const others = to.get(place);
    if (others?.length !== points.length) continue;
    points.forEach((point, at) => {
      found[older.index.universeStart + point] = newer.index.universeStart + others[at];
    });
  }
  return found;
}

/** The points of an image by where they are: function, file and line of all frames. Ascending by address. */
function pointsByPlace(
  index: ImageIndex,
  lineOf: (file: number, line: number) => number,
): Map<string, number[]> {
  const { frameStart, frameFunction, frameFile, frameLine, functionName, files } = index;
  const found = new Map<string, number[]>();
  for (let point = 0; point < index.pointOffset.length; point++) {
    if (index.pointUnknown[point] === 1) continue;
    let place = "";
    for (let at = frameStart[point]; at < frameStart[point + 1]; at++) {
      const line = lineOf(frameFile[at], frameLine[at]);
      if (line === 0) {
        place = "";
        break;
      }
      place += `${functionName[frameFunction[at]]} ${files[frameFile[at]]} ${line}\n`;
    }
    if (place === "") continue;
    const known = found.get(place);
    if (known === undefined) found.set(place, [point]);
    else known.push(point);
  }
  return found;
}
