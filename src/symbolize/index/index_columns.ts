import type { ImageIndex } from "./image_index.ts";

/** What reports need beside frames: which points are unknown, which lines points claim, and where functions are. */
export type LineParts = Pick<
  ImageIndex,
  | "allPointUnknown"
  | "functionFile"
  | "functionLine"
  | "functionEndLine"
  | "problems"
  | "claimStart"
  | "claimLine"
  | "lineFile"
  | "lineNumber"
>;

/** Columns that follow from others. */
type ViewName = "pointOffset" | "pointUnknown" | "frameStart" | "frameFile";

/** The columns from which the frames of points follow. */
export type FrameParts = Omit<ImageIndex, ViewName | keyof LineParts> & {
  /** Points of the universe. */
  readonly universeCount: number;
};

/** The columns from which the rest of an {@linkcode ImageIndex} follows: what is built, and what a cache file holds. */
export type IndexParts = FrameParts & LineParts;

/** An {@linkcode ImageIndex} over {@linkcode IndexParts}. */
export function imageIndexOf(parts: IndexParts): ImageIndex {
  const { universeStart, universeCount } = parts;
  const universeEnd = universeStart + universeCount;
  const offsets = parts.allPointOffsets.subarray(universeStart, universeEnd);
  let frameFile: Uint32Array | undefined;
  const views = {
    // Offsets in .text are not negative, so their bits are the same unsigned.
    pointOffset: new Uint32Array(offsets.buffer, offsets.byteOffset, offsets.length),
    pointUnknown: parts.allPointUnknown.subarray(universeStart, universeEnd),
    frameStart: parts.allFrameStart.subarray(universeStart, universeEnd + 1),
    // Not all uses need it, and it follows from the path.
    get frameFile(): Uint32Array {
      return frameFile ??= filesOfPaths(parts);
    },
  };
  // Descriptors, not values: columns that are decoded when first asked for stay so.
  return Object.defineProperties(
    views,
    Object.getOwnPropertyDescriptors(parts),
  ) as typeof views & IndexParts;
}

function filesOfPaths({ framePath, pathFile }: IndexParts): Uint32Array {
  const files = new Uint32Array(framePath.length);
  for (let at = 0; at < files.length; at++) files[at] = pathFile[framePath[at]];
  return files;
}
