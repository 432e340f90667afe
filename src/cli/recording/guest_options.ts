import type { GuestOptions } from "../../machines/machine.ts";
import { parseMemorySize } from "../../machines/uml/memory_folder.ts";
import { type OptionValues, UsageError } from "../command_line.ts";

/** Options of commands that may run another in the embedded kernel, for `parseCommandLine`. */
export const GUEST_OPTIONS = {
  write: { type: "string", multiple: true },
  timeout: { type: "string" },
  memory: { type: "string" },
  append: { type: "string", multiple: true },
  dmesg: { type: "boolean" },
} as const;

/** Values of {@linkcode GUEST_OPTIONS}. */
export type GuestValues = OptionValues<typeof GUEST_OPTIONS>;

/** setTimeout's limit is 2^31 milliseconds. */
const MOST_SECONDS = 2_000_000;

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
  return { write, dmesg, parameters, memory, timeoutMs };
}

function parseSeconds(text: string): number {
  const seconds = /^\d+(\.\d+)?s?$/.test(text) ? parseFloat(text) : NaN;
  if (!(seconds > 0 && seconds <= MOST_SECONDS)) {
    throw new UsageError(`--timeout ${text} is not a number of seconds above 0`);
  }
  return seconds;
}
