import type { GuestOptions } from "../../machines/machine.ts";
import { parseMemorySize } from "../../machines/guest/memory_folder.ts";
import { type OptionValues, UsageError } from "../command_line.ts";

/** Options of commands that may run another in the embedded kernel, for `parseCommandLine`. */
export const GUEST_OPTIONS = {
  write: { type: "string", multiple: true },
  timeout: { type: "string" },
  memory: { type: "string" },
  cpus: { type: "string" },
  append: { type: "string", multiple: true },
  dmesg: { type: "boolean" },
} as const;

/** Values of {@linkcode GUEST_OPTIONS}. */
export type GuestValues = OptionValues<typeof GUEST_OPTIONS>;

/** setTimeout's limit is 2^31 milliseconds. */
const MOST_SECONDS = 2_000_000;
/** As many as the boards of virtual machines take. */
const MOST_CPUS = 64;

/**
 * What {@linkcode GUEST_OPTIONS} say of the guest.
 *
 * @throws {UsageError} Where the time limit or the memory size is invalid.
 */
export function guestOptions(values: GuestValues): GuestOptions {
  const { write, timeout, memory, append: parameters, dmesg } = values;
  try {
    if (memory !== undefined) parseMemorySize(memory);
  } catch (cause) {
    throw new UsageError((cause as Error).message, { cause });
  }
  const timeoutMs = timeout === undefined ? undefined : parseSeconds(timeout) * 1000;
  const cpus = values.cpus === undefined ? undefined : parseCpus(values.cpus);
  return { write, dmesg, parameters, memory, timeoutMs, cpus };
}

function parseCpus(text: string): number {
  const cpus = /^\d+$/.test(text) ? Number(text) : 0;
  if (cpus >= 1 && cpus <= MOST_CPUS) return cpus;
  throw new UsageError(`--cpus ${text} is not a number from 1 to ${MOST_CPUS}`);
}

function parseSeconds(text: string): number {
  const seconds = /^\d+(\.\d+)?s?$/.test(text) ? parseFloat(text) : NaN;
  if (!(seconds > 0 && seconds <= MOST_SECONDS)) {
    throw new UsageError(`--timeout ${text} is not a number of seconds above 0`);
  }
  return seconds;
}
