import { addressesWithoutFunction, placeFrames } from "../index/place_frames.ts";
import type { FrameColumns } from "./point_frames.ts";
import { symbolAt, type SymbolNames, UNKNOWN } from "../../elf/symbol_names.ts";
import { filesOf } from "../index/source_paths.ts";
import type { UnitResults } from "../units/unit_work.ts";

/** The part of {@linkcode FrameColumns} that follows from the units. */
export type JoinedFrames = Omit<FrameColumns, "allPointOffsets" | "symbols">;

/**
 * Puts the frames that threads found together, in the order of the addresses. What only an index needs is left out: a
 * function or path that several threads met has several numbers.
 *
 * @param offsets Of the addresses, from the base that `symbols` counts from.
 */
export function joinFrames(
  offsets: ArrayLike<number>,
  results: readonly UnitResults[],
  symbols: () => SymbolNames,
): JoinedFrames {
  const paths = [UNKNOWN], functionName: string[] = [];
  const linkageName = new Map<number, string>();
  const pathMaps: Int32Array[] = [], functionMaps: Int32Array[] = [];
  for (const { names, functionName: nameOf, functionLinkage, paths: known } of results) {
    const functions = new Int32Array(nameOf.length);
    for (let id = 0; id < functions.length; id++) {
      functions[id] = functionName.length;
      if (functionLinkage[id] !== nameOf[id]) {
        linkageName.set(functionName.length, names[functionLinkage[id]]);
      }
      functionName.push(names[nameOf[id]]);
    }
    functionMaps.push(functions);
    // The first path of every thread is the unknown one.
    const first = paths.length - 1;
    pathMaps.push(Int32Array.from(known, (_, id) => id === 0 ? 0 : first + id));
    for (let id = 1; id < known.length; id++) paths.push(known[id]);
  }
  const bySymbol = new Map<number, number>();
  for (const index of addressesWithoutFunction(results)) {
    const symbol = symbolAt(symbols(), offsets[index]);
    bySymbol.set(index, functionName.length);
    functionName.push(symbol < 0 ? UNKNOWN : symbols().nameAt(symbol));
  }
  let made: ReturnType<typeof filesOf> | undefined;
  const files = (): ReturnType<typeof filesOf> =>
    made ??= filesOf(paths, results.flatMap((result) => result.folders));
  return {
    ...placeFrames(offsets.length, results, pathMaps, functionMaps, bySymbol),
    functionName,
    linkageName,
    paths,
    get files() {
      return files().files;
    },
    get pathFile() {
      return files().pathFile;
    },
  };
}
