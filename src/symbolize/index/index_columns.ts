import type { Address } from "../../base/address.ts";
import type { CodeSection, ImageIndex, PathColumn } from "./image_index.ts";
import type { MachineName } from "../../elf/machine.ts";
import type { SymbolNames } from "../../elf/symbol_names.ts";

/** The columns from which the frames of points follow. */
export interface FrameParts {
  readonly buildId: string;
  readonly machine: MachineName;
  readonly base: Address;
  readonly callLength: number;
  readonly universeStart: number;
  readonly universeCount: number;
  readonly everyOffset: Int32Array;
  readonly everyFrameStart: Uint32Array;
  readonly frameFunction: Uint32Array;
  readonly framePath: PathColumn;
  readonly frameLine: Uint32Array;
  readonly functionName: readonly string[];
  readonly linkageName: ReadonlyMap<number, string>;
  /** Where the sections of a module's code were placed: it is linked nowhere. None of a kernel. */
  readonly sections: readonly CodeSection[];
  readonly files: readonly string[];
  readonly paths: readonly string[];
  readonly pathFile: Uint32Array;
  readonly symbols: SymbolNames;
}

/** What reports need beside frames: which points are unknown, which lines points claim, and where functions are. */
export interface LineParts {
  readonly everyUnknown: Uint8Array;
  readonly functionFile: Uint32Array;
  readonly functionLine: Uint32Array;
  readonly functionEndLine: Uint32Array;
  readonly problems: readonly string[];
  /** By point of the universe, one more at the end. */
  readonly claimStart: Uint32Array;
  readonly claimLine: Uint32Array;
  readonly lineFile: Uint32Array;
  readonly lineNumber: Uint32Array;
}

/** The columns from which the rest of an {@linkcode ImageIndex} follows: what is built, and what a cache file holds. */
export interface IndexParts extends FrameParts, LineParts {}

/** An {@linkcode ImageIndex} over {@linkcode IndexParts}. */
export function imageIndexOf(parts: IndexParts): ImageIndex {
  const { universeStart, universeCount } = parts;
  const universeEnd = universeStart + universeCount;
  const offsets = parts.everyOffset.subarray(universeStart, universeEnd);
  let frameFile: Uint32Array | undefined;
  const views = {
    // Offsets in .text are not negative, so their bits are the same unsigned.
    pointOffset: new Uint32Array(offsets.buffer, offsets.byteOffset, offsets.length),
    pointUnknown: parts.everyUnknown.subarray(universeStart, universeEnd),
    frameStart: parts.everyFrameStart.subarray(universeStart, universeEnd + 1),
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
