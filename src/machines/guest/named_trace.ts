import type { Address } from "../../base/address.ts";
import type { SymbolTable } from "../../elf/symbols.ts";
import type { TracedCall } from "./call_trace.ts";

/** `ksys_write+0xad/0x180`, and of a module's function `ext4_sync_fs+0x3c/0x110 [ext4]`. */
const PLACE = /([\w.$]+)\+0x([0-9a-f]+)\/0x([0-9a-f]+)(?: \[(\w+)\b[^\]]*\])?/;
/** A line of a trace; a word that was only found on the stack has a question mark. */
const CALL_LINE = new RegExp(`^ (\\? )?${PLACE.source}(?: \\([A-Z ]+\\))?$`);
/** Where the kernel was: on x86-64, and on arm64. */
const AT_LINE = new RegExp(`^(?:RIP: 0010:|pc : )${PLACE.source}`);
/** Lines within a trace that are no calls: the names of stacks, and the registers of an interrupt. */
const BETWEEN =
  /^ <\/?[\w#!]+>$|^(?:RIP|RSP|RAX|RBX|RCX|RDX|RSI|RDI|RBP|R\d\d|Code|FS|CR2|CS|PKRU): ?/;

/**
 * The calls of the first call trace in the kernel's messages, the innermost first, where the kernel names functions and not
 * addresses, which KASLR changes: all but user-mode Linux. Words that are not certainly calls are left out.
 *
 * @param symbols of the kernel's image
 */
export function namedCalls(lines: readonly string[], symbols: SymbolTable): TracedCall[] {
  const trace = lines.findIndex((line) => /^Call [Tt]race:$/.test(line));
  const calls: TracedCall[] = [];
  const at = lines.slice(0, trace < 0 ? lines.length : trace).map((line) => AT_LINE.exec(line))
    .find((match) => match !== null);
  if (at !== undefined) calls.push(callAt(at.slice(1), true, symbols));
  if (trace < 0) return calls;
  for (const line of lines.slice(trace + 1)) {
    const match = CALL_LINE.exec(line);
    if (match === null) {
      // User space, or what comes after the trace.
      if (/^RIP: 0033:/.test(line) || !BETWEEN.test(line)) break;
      continue;
    }
    if (match[1] === undefined) calls.push(callAt(match.slice(2), false, symbols));
  }
  return calls;
}

function callAt(
  [name, offset, size, module]: readonly string[],
  isFault: boolean,
  symbols: SymbolTable,
): TracedCall {
  const start = module === undefined ? addressOf(name, parseInt(size, 16), symbols) : undefined;
  return {
    address: start === undefined ? 0 : start + parseInt(offset, 16),
    isFault,
    isSure: true,
    ...start === undefined ? { name: module === undefined ? name : `${name} [${module}]` } : {},
  };
}

/** Where a function begins: of several of one name, that whose size is the nearest to what the kernel says. */
function addressOf(name: string, size: number, symbols: SymbolTable): Address | undefined {
  const found = symbols.indexesOf(name).filter((index) => symbols.section[index] !== 0);
  // The kernel counts what fills the space up to the next function too.
  found.sort((a, b) => Math.abs(symbols.size[a] - size) - Math.abs(symbols.size[b] - size));
  const [first] = found;
  return first === undefined ? undefined : symbols.address[first];
}
