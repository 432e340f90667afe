import process from "node:process";
import { KcovUnavailableError } from "../errors.ts";
import { kcovAvailability } from "../kcov/kcov_availability.ts";
import { buildEmbeddedKernel } from "../uml/build_kernel.ts";
import type { KernelFolder } from "../uml/kernel_folder.ts";
import { ownKernel } from "../uml/own_kernel.ts";
import { UsageError } from "./usage_error.ts";

/** The kernel that a command runs on: the running one, or one that is booted for it. */
export type KernelChoice = "host" | KernelFolder;

/**
 * The kernel for `--kernel auto|host|embedded|PATH`. For `auto` the running one where it can record, else the embedded
 * one, which is then said in one line. The embedded one is built if it is not there.
 *
 * @throws {KcovUnavailableError} Where `host` is asked for and cannot record, or the embedded one cannot be built.
 * @throws {TypeError} Where there is no kernel of user-mode Linux at the path.
 */
export async function chooseKernel(name: string): Promise<KernelChoice> {
  if (name === "embedded") return await buildEmbeddedKernel();
  if (name.includes("/")) return ownKernel(name);
  if (name !== "auto" && name !== "host") {
    throw new UsageError(
      `Unknown kernel "${name}": use auto, host, embedded or a path with a slash`,
    );
  }
  const { available, reason, message } = kcovAvailability();
  if (available) return "host";
  if (name === "host") throw new KcovUnavailableError(reason ?? "not-built-in", message);
  process.stderr.write(`kernelcov: Using the embedded kernel. ${message.split(":")[0]}\n`);
  return await buildEmbeddedKernel();
}
