import type { Ptrace } from "./ptrace.ts";
import type { TaskMemory } from "./task_memory.ts";

const WORD = 8;
const FIRST_READ = 8192;
/** A kernel takes arguments and environment of up to 6 MiB (`_STK_LIM / 4 * 3`); nearly always they are a few KiB. */
const MOST_READ = 1 << 23;

const encoder = new TextEncoder();

/** What is added to a program's start. */
export interface Insertion {
  /** Arguments, and the index in `argv` at which they go. */
  readonly at: number;
  readonly args: readonly string[];
  /** Variables, as `NAME=value`, behind those that it has. */
  readonly environment: readonly string[];
}

/**
 * Adds arguments and variables to a program that a task is about to begin: the task stands at its `execve`'s
 * `PTRACE_EVENT_EXEC`. Its stack then holds `argc`, the pointers of `argv` and of the environment, each list ended by a
 * null pointer, and the auxiliary vector (System V ABI, "Initial Stack and Register State"). They are written again
 * below, with the added strings behind them. `/proc/PID/cmdline` stays as it is.
 *
 * @returns False where the stack is not as expected, or has no room: the program then starts unchanged.
 */
export function insertAtStart(
  ptrace: Ptrace,
  memory: TaskMemory,
  tid: number,
  { at, args, environment }: Insertion,
): boolean {
  const { architecture } = ptrace;
  const registers = new BigUint64Array(architecture.registerWords);
  if (!ptrace.getRegisters(tid, registers)) return false;
  const before = registers[architecture.stackPointer];
  const words = readStart(memory, tid, before);
  if (words === null) return false;
  const argc = Number(words[0]);
  const environmentEnd = words.indexOf(0n, argc + 2);
  if (at > argc) return false;

  const strings = encoder.encode([...args, ...environment].map((text) => `${text}\0`).join(""));
  const added = args.length + environment.length;
  const size = (words.length + added) * WORD + strings.length;
  const room = words.length * WORD;
  const stack = (before + BigInt(room - size)) & ~15n;
  let address = stack + BigInt((words.length + added) * WORD);
  function pointers(texts: readonly string[]): bigint[] {
    return texts.map((text) => {
      const pointer = address;
      address += BigInt(encoder.encode(text).length + 1);
      return pointer;
    });
  }
  const changed = BigUint64Array.from([
    BigInt(argc + args.length),
    ...words.slice(1, at + 1),
    ...pointers(args),
    ...words.slice(at + 1, environmentEnd),
    ...pointers(environment),
    ...words.slice(environmentEnd),
  ]);
  const bytes = new Uint8Array(changed.byteLength + strings.length);
  bytes.set(new Uint8Array(changed.buffer));
  bytes.set(strings, changed.byteLength);
  if (memory.write(tid, stack, bytes) !== bytes.length) return false;
  registers[architecture.stackPointer] = stack;
  return ptrace.setRegisters(tid, registers);
}

/** The words from the stack pointer to the end of the auxiliary vector; `null` where that is not found. */
function readStart(memory: TaskMemory, tid: number, address: bigint): BigUint64Array | null {
  for (let size = FIRST_READ; size <= MOST_READ; size *= 2) {
    const bytes = new Uint8Array(size);
    // The stack's end may be nearer.
    const length = memory.read(tid, address, bytes);
    if (length <= 0) return null;
    const words = new BigUint64Array(bytes.buffer, 0, length >> 3);
    const end = endOfStart(words);
    if (end > 0) return words.slice(0, end);
    if (length < size) return null;
  }
  return null;
}

/** How many words the start takes; 0 where `words` does not hold all of it. */
function endOfStart(words: BigUint64Array): number {
  const argc = Number(words[0]);
  if (!(argc < words.length) || words[argc + 1] !== 0n) return 0;
  const environmentEnd = words.indexOf(0n, argc + 2);
  if (environmentEnd < 0) return 0;
  for (let at = environmentEnd + 1; at + 1 < words.length; at += 2) {
    if (words[at] === 0n) return at + 2; // AT_NULL
  }
  return 0;
}
