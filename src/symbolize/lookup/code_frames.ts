import type { Address } from "../../base/address.ts";
import { indexOfSorted } from "../../base/search.ts";
import { codeSections } from "../../elf/code_sections.ts";
import { OpenImage } from "../../kernel/image/open_image.ts";
import type { Frame } from "../index/image_index.ts";
import { framesOfAddresses } from "./address_frames.ts";
import { framesAt } from "./point_frames.ts";

/**
 * The frames of the calls before return addresses, innermost first, of those that are in the code of an image; reads only
 * the units that they lie in.
 *
 * @throws {FormatError} Where the file is no kernel or module.
 */
export function framesOfCalls(
  path: string,
  pcs: Iterable<Address>,
): ReadonlyMap<Address, readonly Frame[]> {
  using image = new OpenImage(path);
  const { elf } = image;
  const shift = elf.header.machine.code.callLength;
  const code = codeSections(elf).map(({ address, size }) => [address, address + size] as const);
  const known = [...new Set(pcs)].filter((pc) =>
    code.some(([from, to]) => pc - shift >= from && pc - shift < to)
  );
  const addresses = Float64Array.from(known, (pc) => pc - shift).sort();
  if (addresses.length === 0) return new Map();
  const columns = framesOfAddresses(image, addresses);
  return new Map(
    known.map((pc) => [pc, framesAt(columns, indexOfSorted(addresses, pc - shift))]),
  );
}
