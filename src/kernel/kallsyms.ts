import { type Address, parseAddress } from "../base/address.ts";
import type { SymbolNames } from "../elf/symbol_names.ts";

/** The symbols that a running kernel tells of itself and its modules. */
export interface Kallsyms {
  /** Ascending; distinct. Run-time addresses. */
  readonly address: Float64Array;
  readonly name: readonly string[];
  /** The kernel hides addresses from this reader: all are 0, so the columns are empty. */
  readonly isHidden: boolean;
}

/**
 * Reads the text of `/proc/kallsyms`: lines of address, type letter, name and for a module's symbol its module. Only
 * code (`t`, `T`, `w`, `W`) is kept, without the mapping symbols of modules (`$x`), which some kernels list too.
 */
export function parseKallsyms(text: string): Kallsyms {
  const found: { address: Address; name: string }[] = [];
  let hidden = 0;
  for (const line of text.split("\n")) {
    const match = /^([0-9a-f]+) ([tTwW]) (?!\$[dx]|\.L)([^\t ]+)/.exec(line);
    if (match === null) continue;
    const address = parseAddress(match[1]);
    if (address === 0) hidden++;
    else if (address !== undefined) found.push({ address, name: match[3] });
  }
  found.sort((a, b) => a.address - b.address);
  // Of several names of one address the first is kept, as for the kernel's own stack traces.
  const distinct = found.filter(({ address }, at) => at === 0 || address !== found[at - 1].address);
  return {
    address: Float64Array.from(distinct, ({ address }) => address),
    name: distinct.map(({ name }) => name),
    isHidden: found.length === 0 && hidden > 0,
  };
}

/** Run-time address of a symbol in the text of `/proc/kallsyms`; `undefined` where it is missing or hidden. */
export function kallsymsAddress(text: string, name: string): Address | undefined {
  const match = new RegExp(`^([0-9a-f]+) [a-zA-Z] ${name}$`, "m").exec(text);
  const address = match === null ? undefined : parseAddress(match[1]);
  return address === 0 ? undefined : address;
}

/** The symbols as those of an image whose addresses are `offset` lower and count from `base`. */
export function kallsymsNames(kallsyms: Kallsyms, offset: number, base: Address): SymbolNames {
  return {
    address: kallsyms.address.map((address) => address - offset - base),
    size: new Float64Array(kallsyms.address.length),
    nameAt: (at) => kallsyms.name[at],
    fileAt: () => undefined,
  };
}
