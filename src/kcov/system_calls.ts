import { KCOV_CALL, KCOV_CALL_COMPAT, KCOV_CALL_X32 } from "./origin.ts";
import { SYSTEM_CALL_TABLES } from "./system_call_table.ts";

/** Names of what is no system call. */
const OTHER_CALLS: ReadonlyMap<number, string> = new Map([
  [KCOV_CALL.none, "between calls"],
  [KCOV_CALL.pageFault, "page fault"],
  [KCOV_CALL.signal, "signal delivery"],
  [KCOV_CALL.exec, "exec"],
  [KCOV_CALL.exit, "exit"],
  [KCOV_CALL.codeFault, "page fault of code loading"],
]);

const NUMBER_MASK = KCOV_CALL_COMPAT - 1;

/** Names of all calls, by the call as an origin has it; made when an architecture is first asked for. */
const namesOf = new Map<string, ReadonlyMap<number, string>>();

/** Whether the call of an origin, its lower 12 bits, is a system call. */
export function isSystemCall(call: number): boolean {
  return call < KCOV_CALL.none;
}

/**
 * The name of an origin's call: `connect`, `openat (32-bit)`, `page fault`. `machine` is as `uname -m` has it; a number
 * that its table has not is `system call 999`.
 */
export function systemCallName(machine: string, call: number): string {
  const other = OTHER_CALLS.get(call);
  if (other !== undefined) return other;
  if (!isSystemCall(call)) return `call 0x${call.toString(16)}`;
  return `${bareName(machine, call) ?? `system call ${call & NUMBER_MASK}`}${abiSuffix(call)}`;
}

/** The calls of that name in all ABIs of a machine, ascending, those that are no system calls included. */
export function callsNamed(machine: string, name: string): number[] {
  return [...callTable(machine), ...OTHER_CALLS]
    .filter(([, known]) => known === name)
    .map(([call]) => call).sort((a, b) => a - b);
}

/** The names of all calls of a machine, those that are no system calls included; for suggestions. */
export function callNames(machine: string): string[] {
  return [...new Set([...callTable(machine).values(), ...OTHER_CALLS.values()])].sort();
}

function bareName(machine: string, call: number): string | undefined {
  return callTable(machine).get(call);
}

function abiSuffix(call: number): string {
  if ((call & KCOV_CALL_COMPAT) !== 0) return " (32-bit)";
  return (call & KCOV_CALL_X32) !== 0 ? " (x32)" : "";
}

function callTable(machine: string): ReadonlyMap<number, string> {
  const known = namesOf.get(machine);
  if (known !== undefined) return known;
  const names = new Map<number, string>();
  if (Object.hasOwn(SYSTEM_CALL_TABLES, machine)) {
    const { own, compat, x32 = [] } = SYSTEM_CALL_TABLES[machine]!;
    for (const text of own) addNames(names, text, 0);
    for (const text of compat) addNames(names, text, KCOV_CALL_COMPAT);
    for (const text of x32) addNames(names, text, KCOV_CALL_X32);
  }
  namesOf.set(machine, names);
  return names;
}

function addNames(names: Map<number, string>, text: string, base: number): void {
  let number = 0;
  for (const word of text.trim().split(/\s+/)) {
    if (word.startsWith("@")) number = Number(word.slice(1));
    else names.set(base + number++, word);
  }
}
