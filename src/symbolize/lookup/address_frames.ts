import { readUnitHeaders, type UnitHeader } from "../../dwarf/unit_headers.ts";
import { codeSections } from "../../elf/code_sections.ts";
import type { OpenImage } from "../../kernel/image/open_image.ts";
import { addressesWithoutFunction, offsetsFrom, placeFrames } from "../index/place_frames.ts";
import { filesOf } from "../index/source_paths.ts";
import type { FrameColumns } from "./point_frames.ts";
import { readSymbolNames, symbolAt, type SymbolNames, UNKNOWN } from "../../elf/symbol_names.ts";
import { readUnitRanges } from "../units/unit_ranges.ts";
import { UnitReader } from "../units/unit_reader.ts";
import {
  doUnits,
  type UnitResults,
  unitsInOrder,
  type UnitWork,
  workByUnit,
} from "../units/unit_work.ts";

/** Frames of addresses, and what could not be read on the way. */
export type AddressColumns = FrameColumns & { readonly problems: readonly string[] };

interface AddressPlan {
  readonly headers: readonly UnitHeader[];
  readonly work: UnitWork;
  readonly base: number;
  readonly problems: string[];
}

/**
 * The frames of addresses of an image, whatever stands there; reads only the units that they lie in. In one thread: most
 * of the time goes into code that is not compiled yet, and a second thread would begin with the same.
 *
 * @param addresses Ascending; of instructions, not return addresses.
 */
export function framesOfAddresses(image: OpenImage, addresses: Float64Array): AddressColumns {
  const plan = planAddresses(image, addresses);
  const reader = new UnitReader(image.sections(), plan.headers);
  return finish(image, addresses, plan, [
    doUnits(reader, addresses, plan.work, unitsInOrder(plan.headers)),
  ]);
}

function planAddresses(image: OpenImage, addresses: Float64Array): AddressPlan {
  const problems: string[] = [];
  const sections = image.sections();
  const headers = readUnitHeaders(sections.info, problems);
  const ranges = readUnitRanges(sections, headers, problems);
  const text = image.elf.sections.find((section) => section.name === ".text") ??
    codeSections(image.elf)[0];
  const work = workByUnit(addresses, ranges, headers.length);
  return { headers, work, base: text?.address ?? 0, problems };
}

function finish(
  { elf }: OpenImage,
  addresses: Float64Array,
  plan: AddressPlan,
  results: readonly UnitResults[],
): AddressColumns {
  // Not all uses need the symbols, and those that do may ask when the image is closed.
  elf.keepSymbols();
  let names: SymbolNames | undefined;
  const symbols = (): SymbolNames => names ??= readSymbolNames(elf, plan.base);
  const allPointOffsets = offsetsFrom(addresses, plan.base);
  const columns = {
    allPointOffsets,
    get symbols() {
      return symbols();
    },
    problems: [...plan.problems, ...results.flatMap((result) => result.problems)],
  };
  const frames = joinFrames(allPointOffsets, results, (nameless) => {
    // Mostly a few: sorting all symbols for them takes longer than finding them.
    const wanted = Float64Array.from(nameless, (at) => addresses[at]).sort();
    return names ?? readSymbolNames(elf, plan.base, wanted);
  });
  // Descriptors, not values: what is made when first asked for stays so.
  return Object.defineProperties(
    columns,
    Object.getOwnPropertyDescriptors(frames),
  ) as typeof columns & JoinedFrames;
}

/** The part of {@linkcode FrameColumns} that follows from the units. */
type JoinedFrames = Omit<FrameColumns, "allPointOffsets" | "symbols">;

/**
 * Puts the frames that threads found together, in the order of the addresses. What only an index needs is left out: a
 * function or path that several threads met has several numbers.
 *
 * @param offsets Of the addresses, from the base that `symbols` counts from.
 * @param symbolsOf The symbols that addresses lie in, by their indexes: of those in no function. Called once at most.
 */
function joinFrames(
  offsets: ArrayLike<number>,
  results: readonly UnitResults[],
  symbolsOf: (indexes: readonly number[]) => SymbolNames,
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
  let nameless: readonly number[] = addressesWithoutFunction(results);
  for (const index of nameless) bySymbol.set(index, functionName.push(UNKNOWN) - 1);
  let made: ReturnType<typeof filesOf> | undefined;
  const files = (): ReturnType<typeof filesOf> =>
    made ??= filesOf(paths, results.flatMap((result) => result.folders));
  return {
    ...placeFrames(offsets.length, results, pathMaps, functionMaps, bySymbol),
    get functionName() {
      if (nameless.length > 0) {
        const symbols = symbolsOf(nameless);
        for (const index of nameless) {
          const symbol = symbolAt(symbols, offsets[index]);
          if (symbol >= 0) functionName[bySymbol.get(index)!] = symbols.nameAt(symbol);
        }
        nameless = [];
      }
      return functionName;
    },
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
