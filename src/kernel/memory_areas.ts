import { type Address, parseAddress } from "../base/address.ts";
import { upperBound } from "../base/search.ts";
import { tryReadText } from "../sys/files.ts";

/**
 * The kernel's areas of mapped memory, of `/proc/vmallocinfo`: since Linux 6.4 the code of a module has one of its own,
 * so its end is that of the code, to the page.
 */
export class MemoryAreas {
  readonly #start: Float64Array;
  readonly #end: Float64Array;

  /** @param text of `/proc/vmallocinfo`: each line begins with the run-time addresses of start and end */
  constructor(text: string) {
    const areas: { start: Address; end: Address }[] = [];
    for (const [, from, to] of text.matchAll(/^0x([0-9a-f]+)-0x([0-9a-f]+)\s/gm)) {
      const start = parseAddress(from) ?? 0, end = parseAddress(to) ?? 0;
      // Where addresses are hidden, all are 0.
      if (start < end) areas.push({ start, end });
    }
    areas.sort((a, b) => a.start - b.start);
    this.#start = Float64Array.from(areas, ({ start }) => start);
    this.#end = Float64Array.from(areas, ({ end }) => end);
  }

  /** The areas of the running kernel; none where it hides them. */
  static read(root = "/"): MemoryAreas {
    return new MemoryAreas(tryReadText(`${root}/proc/vmallocinfo`) ?? "");
  }

  /** Where the area ends that a run-time address is in; `Infinity` where none is known. */
  endAt(address: Address): Address {
    const at = upperBound(this.#start, address) - 1;
    return at >= 0 && address < this.#end[at] ? this.#end[at] : Infinity;
  }
}
