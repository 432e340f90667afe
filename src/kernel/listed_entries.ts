import { upperBound } from "../base/search.ts";
import { type CallEntries, callEntries, type FunctionRange } from "../kcov/call_entries.ts";
import { tryReadText } from "../sys/files.ts";
import { parseKallsyms } from "./kallsyms.ts";
import { kernelOffset } from "./kernel_offset.ts";

/**
 * The functions in which the running kernel is entered, by `/proc/kallsyms`; `undefined` where that hides addresses, or
 * where it is not known by how much the kernel was moved.
 *
 * @param machine Whose numbers its system calls are, as `uname -m` has it.
 * @param root folder of `proc`
 */
export function listedCallEntries(machine: string, root = "/"): CallEntries | undefined {
  const offset = kernelOffset(root);
  const text = offset === undefined ? undefined : tryReadText(`${root}/proc/kallsyms`);
  if (text === undefined) return undefined;
  const entries = callEntries(listedFunctions(text, offset!), machine);
  return entries.start.length === 0 ? undefined : entries;
}

/** The kernel's own functions in the text of `/proc/kallsyms`, where they were linked. */
function listedFunctions(text: string, offset: number): FunctionRange[] {
  const { address } = parseKallsyms(text);
  const found: FunctionRange[] = [];
  for (const [, digits, name] of text.matchAll(/^([0-9a-f]+) [tTwW] (\w[^\t\n ]*)$/gm)) {
    // Several names may have one address, so the next function is the next address.
    const start = Number(BigInt.asIntN(64, BigInt(`0x${digits}`)));
    const next = upperBound(address, start);
    if (next === address.length || start === 0) continue;
    found.push({ name, start: start - offset, end: address[next] - offset });
  }
  return found;
}
