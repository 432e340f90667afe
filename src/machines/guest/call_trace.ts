import type { Address } from "../../base/address.ts";
import type { CallFrames } from "../../dwarf/call_frames.ts";

// Registers of x86-64, as DWARF numbers them.
const RBP = 6;
const RSP = 7;
const WORD = 8;

/** A place that the kernel's trace goes through. */
export interface TracedCall {
  readonly address: Address;
  /** The address is that of an instruction that faulted, and not a return address. */
  readonly isFault: boolean;
  /** The call certainly returns there. Otherwise it is a word on the stack that may be left from an earlier call. */
  readonly isSure: boolean;
  /** The function, where its address is not known: it is that of a module. */
  readonly name?: string;
}

/** ` [<60023ac6>] ? tlb_flush+0x16/0x60`: a word on the stack. */
const WORD_LINE = /^ ?\[<([0-9a-f]+)>\] /;
/** ` [<60023ac6>] tlb_flush+0x16/0x60 (fault, sp 6081fd90, bp 6082a0c0)`: where the trace starts. */
const START_LINE = /^ ?\[<([0-9a-f]+)>\] \S+ \((fault, )?sp ([0-9a-f]+), bp ([0-9a-f]+)\)$/;
/** ` 607ef7e4 00000000`: words of the stack. */
const STACK_LINE = /^(?: [0-9a-f]{8,16})+$/;

/** The messages of one call trace. */
interface Trace {
  readonly start: RegExpExecArray | null;
  /** All words from the stack pointer on. */
  readonly stack: readonly Address[];
  /** The words that the kernel takes for return addresses. */
  readonly words: readonly Address[];
}

/** The first call trace in the messages. */
function traceOf(lines: readonly string[]): Trace {
  const at = lines.findIndex((line) => line === "Call Trace:");
  const stackAt = lines.lastIndexOf("Stack:", at);
  const stack: Address[] = [];
  for (const line of lines.slice(stackAt + 1, Math.max(at, 0))) {
    if (!STACK_LINE.test(line)) break;
    for (const word of line.trim().split(" ")) stack.push(parseInt(word, 16));
  }
  const words: Address[] = [];
  for (const line of lines.slice(at + 1)) {
    const word = WORD_LINE.exec(line);
    if (at < 0 || word === null) break;
    words.push(parseInt(word[1], 16));
  }
  return { start: START_LINE.exec(lines[at + 1] ?? ""), stack, words };
}

/**
 * The calls of the first call trace in the kernel's messages, the innermost first. User-mode Linux prints every word on the
 * stack that could be a return address; the image's call frames tell which are. Where they end, and for kernels that do
 * not print the whole stack, all words are given, as unsure.
 */
export function tracedCalls(
  lines: readonly string[],
  frames: CallFrames | undefined,
): TracedCall[] {
  const { start, stack, words } = traceOf(lines);
  if (start === null || frames === undefined) return words.map(unsure);
  const [, ip, fault, sp, bp] = start;
  const bottom = parseInt(sp!, 16);
  function wordAt(address: Address): Address | undefined {
    return stack[(address - bottom) / WORD];
  }
  const calls = [{ address: parseInt(ip!, 16), isFault: fault !== undefined, isSure: true }];
  let stackPointer = bottom;
  let framePointer: Address | undefined = parseInt(bp!, 16);
  for (let call = calls[0];;) {
    const frame = frames.at(call.isFault ? call.address : call.address - 1);
    const from = frame?.register === RSP
      ? stackPointer
      : frame?.register === RBP
      ? framePointer
      : undefined;
    const top = frame === undefined || from === undefined ? NaN : from + frame.offset;
    // Stacks grow down: a caller's frame lies above.
    if (!(top > stackPointer)) break;
    const caller = wordAt(top - WORD);
    // Nothing called the outermost function.
    if (caller === undefined || frames.at(caller - 1) === undefined) return calls;
    const saved = frame!.saved.get(RBP);
    if (saved !== undefined) framePointer = wordAt(top + saved);
    stackPointer = top;
    call = { address: caller, isFault: false, isSure: true };
    calls.push(call);
  }
  const rest = stack.slice((stackPointer - bottom) / WORD);
  return [...calls, ...rest.filter((word) => frames.at(word - 1) !== undefined).map(unsure)];
}

function unsure(address: Address): TracedCall {
  return { address, isFault: false, isSure: false };
}
