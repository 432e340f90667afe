import type { ImageIndex } from "../symbolize/index/image_index.ts";

/** The columns of an image that coverage needs. */
export type CoverageImage = Pick<
  ImageIndex,
  | "buildId"
  | "machine"
  | "base"
  | "callLength"
  | "pointOffset"
  | "pointUnknown"
  | "allPointOffsets"
  | "frameStart"
  | "frameFunction"
  | "frameFile"
  | "frameLine"
  | "claimStart"
  | "claimLine"
  | "lineFile"
  | "lineNumber"
  | "functionName"
  | "functionFile"
  | "functionLine"
  | "functionEndLine"
  | "files"
  | "problems"
>;
