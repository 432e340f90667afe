import { readUnitHeaders, type UnitHeader } from "../dwarf/unit_headers.ts";
import { codeSections } from "../elf/code_sections.ts";
import { offsetsFrom } from "./build_image_index.ts";
import { type JoinedFrames, joinFrames } from "./join_frames.ts";
import type { OpenImage } from "./open_image.ts";
import { canShare, UnitWorker } from "./parallel_units.ts";
import type { FrameColumns } from "./point_frames.ts";
import { readSymbolNames, type SymbolNames } from "./symbol_names.ts";
import { readUnitRanges } from "./unit_ranges.ts";
import { UnitReader } from "./unit_reader.ts";
import { doUnits, type UnitResults, unitsInOrder, type UnitWork, workByUnit } from "./unit_work.ts";

/** Work that one thread does before a second would be up and warm, as bytes of debug information to read. */
const WORTH_A_THREAD = 160 << 20;
/** The work of an address in the same measure: finding its row and entry, naming and placing its frames. */
const ADDRESS_WORK = 500;

/** Frames of addresses, and what could not be read on the way. */
export type AddressColumns = FrameColumns & { readonly problems: readonly string[] };

interface AddressPlan {
  readonly headers: readonly UnitHeader[];
  readonly work: UnitWork;
  readonly base: number;
  readonly problems: string[];
}

/**
 * The frames of addresses of an image, whatever stands there; reads only the units that they lie in.
 *
 * @param addresses ascending; of instructions, not return addresses
 */
export function framesOfAddresses(image: OpenImage, addresses: Float64Array): AddressColumns {
  const plan = planAddresses(image, addresses);
  return finish(image, addresses, plan, [inThisThread(image, addresses, plan)]);
}

/** As {@linkcode framesOfAddresses}, with a second thread where there is enough to read. */
export async function framesOfManyAddresses(
  image: OpenImage,
  addresses: Float64Array,
): Promise<AddressColumns> {
  // Many addresses are worth a thread whatever units they are in: it starts while those are looked for.
  const starts = canShare(image) && addresses.length * ADDRESS_WORK >= WORTH_A_THREAD;
  using early = starts ? new UnitWorker() : undefined;
  const plan = planAddresses(image, addresses);
  if (!canShare(image) || early === undefined && workOf(image, plan) < WORTH_A_THREAD) {
    return finish(image, addresses, plan, [inThisThread(image, addresses, plan)]);
  }
  using worker = early ?? new UnitWorker();
  const { headers, work } = plan;
  return finish(image, addresses, plan, await worker.do(image, headers, addresses, work, false));
}

/** Bytes of entries and line programs of the units that addresses are in, and the addresses. */
function workOf({ debugElf }: OpenImage, { headers, work }: AddressPlan): number {
  let entries = 0;
  headers.forEach((header, unit) => {
    if (work.start[unit + 1] > work.start[unit]) entries += header.end - header.offset;
  });
  const info = debugElf.section(".debug_info")?.fileSize ?? 0;
  const line = debugElf.section(".debug_line")?.fileSize ?? 0;
  return entries * (1 + line / Math.max(1, info)) + work.order.length * ADDRESS_WORK;
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

function inThisThread(image: OpenImage, addresses: Float64Array, plan: AddressPlan): UnitResults {
  const reader = new UnitReader(image.sections(), plan.headers);
  return doUnits(reader, addresses, plan.work, unitsInOrder(plan.headers));
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
  const everyOffset = offsetsFrom(addresses, plan.base);
  const columns = {
    everyOffset,
    get symbols() {
      return symbols();
    },
    problems: [...plan.problems, ...results.flatMap((result) => result.problems)],
  };
  const frames = joinFrames(everyOffset, plan.work, results, symbols);
  // Descriptors, not values: what is made when first asked for stays so.
  return Object.defineProperties(
    columns,
    Object.getOwnPropertyDescriptors(frames),
  ) as typeof columns & JoinedFrames;
}
