import { readFileSync } from "node:fs";
import { parseAddress } from "../../src/base/address.ts";
import { kernelOffset } from "../../src/kernel/kernel_offset.ts";

let symbols: { readonly starts: Float64Array; readonly names: readonly string[] } | undefined;

/**
 * Names of the functions of the running kernel that hold these PCs, by its own symbol table: a judge that shares no
 * code with the symbolizer. Functions that were inlined are not seen.
 */
export function kernelFunctions(pcs: ArrayLike<number>): Set<string> {
  symbols ??= readSymbols();
  const { starts, names } = symbols;
  const found = new Set<string>();
  for (let index = 0; index < pcs.length; index++) {
    let low = 0;
    let high = starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      // A raw PC is a return address: the call stands before it.
      if (starts[middle] <= pcs[index] - 1) low = middle + 1;
      else high = middle;
    }
    if (low > 0) found.add(commonName(names[low - 1]));
  }
  return found;
}

/** Without what the compiler added; that of a call whatever the architecture's wrappers are. */
function commonName(name: string): string {
  return name.replace(/\.(isra|constprop|part|cold)\b.*$/, "")
    .replace(/^__(?:x64|arm64|riscv)_sys_|^__do_sys_/, "__se_sys_");
}

function readSymbols(): { starts: Float64Array; names: string[] } {
  const lines = readFileSync("/proc/kallsyms", "latin1").split("\n");
  const text = lines.map((line) => /^([0-9a-f]+) [tTwW] (\S+)$/.exec(line)).filter((match) =>
    match !== null
  );
  const sorted = text.map(([, address, name]) => ({ address: parseAddress(address) ?? 0, name }));
  // KCOV takes off by how much KASLR has moved the kernel; user-mode Linux is not moved.
  const offset = kernelOffset() ?? 0;
  sorted.sort((first, second) => first.address - second.address);
  return {
    starts: Float64Array.from(sorted, ({ address }) => address - offset),
    names: sorted.map(({ name }) => name),
  };
}
