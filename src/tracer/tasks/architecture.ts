import { MACHINES, type Tracing } from "../../elf/machine.ts";
import { KcovUnavailableError } from "../../errors.ts";
import { machineName } from "../../sys/runtime.ts";

/**
 * The table of the running processor.
 *
 * @throws {KcovUnavailableError} For an architecture that has no table.
 */
export function currentArchitecture(): Tracing {
  const machine = machineName();
  const found = MACHINES.find(({ unameName }) => unameName === machine)?.tracing;
  if (found !== undefined) return found;
  const known = MACHINES.filter(({ tracing }) => tracing !== undefined).map(({ name }) => name);
  throw new KcovUnavailableError(
    "not-built-in",
    `Cannot trace processes on ${machine}: run on ${known.join(" or ")}, or use --scope thread`,
  );
}

const NO_RESTART = 0xffff_ffff_ffff_ffffn;

/** `registers` changed so that the task makes `number(...values)` with the instruction at `instructionAddress`. */
export function setSystemCall(
  architecture: Tracing,
  registers: BigUint64Array,
  instructionAddress: bigint,
  number: bigint,
  values: readonly bigint[],
): void {
  registers[architecture.callNumber] = number;
  registers[architecture.programCounter] = instructionAddress;
  // Without this the kernel could take the saved call for an interrupted one and restart it.
  if (architecture.restartNumber >= 0) registers[architecture.restartNumber] = NO_RESTART;
  for (const [index, register] of architecture.arguments.entries()) {
    registers[register] = BigInt.asUintN(64, values[index] ?? 0n);
  }
}
