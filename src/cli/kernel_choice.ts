import process from "node:process";
import { KcovUnavailableError } from "../errors.ts";
import { kcovAvailability } from "../kcov/kcov_availability.ts";
import { UsageError } from "./usage_error.ts";

/** The kernel that a command runs on. */
export type KernelChoice = "host" | "embedded";

/**
 * The kernel for `--kernel auto|host|embedded`. For `auto` the running one where it can record, else the embedded one,
 * which is then said in one line.
 *
 * @throws {KcovUnavailableError} Where `host` is asked for and cannot record.
 */
export function chooseKernel(name: string): KernelChoice {
  if (name === "embedded") return "embedded";
  if (name !== "auto" && name !== "host") {
    throw new UsageError(`Unknown kernel "${name}": use auto, host or embedded`);
  }
  const { available, reason, message } = kcovAvailability();
  if (available) return "host";
  if (name === "host") throw new KcovUnavailableError(reason ?? "not-built-in", message);
  process.stderr.write(`kernelcov: Using the embedded kernel. ${message.split(":")[0]}\n`);
  return "embedded";
}
