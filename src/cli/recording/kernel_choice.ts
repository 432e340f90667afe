import process from "node:process";
import { KcovUnavailableError } from "../../errors.ts";
import { kcovAvailability } from "../../kernel/kcov_availability.ts";
import {
  buildEmbeddedKernel,
  type KernelDefinition,
  namedKernel,
} from "../../build/build_kernel.ts";
import type { KernelFolder } from "../../build/kernel_folder.ts";
import { kernelNames } from "../../build/kernel_names.ts";
import { ownKernel } from "../../build/own_kernel.ts";
import { UsageError } from "../usage_error.ts";

/** The kernel that a command runs on: the running one, or one that is booted for it. */
export type KernelChoice = "host" | KernelFolder;

/**
 * The kernel for `--kernel auto|host|embedded|NAME|PATH`. For `auto` the running one where it can record, else the
 * embedded one, which is then said in one line. The embedded one, or that of the name, is built if it is not there.
 *
 * @throws {KcovUnavailableError} Where `host` is asked for and cannot record, or the embedded one cannot be built.
 * @throws {TypeError} Where there is no kernel of user-mode Linux at the path.
 */
export async function chooseKernel(name: string): Promise<KernelChoice> {
  if (name !== "auto" && name !== "host") return await guestKernel(name, ["auto", "host"]);
  const { available, reason, message } = kcovAvailability();
  if (available) return "host";
  if (name === "host") throw new KcovUnavailableError(reason ?? "not-built-in", message);
  process.stderr.write(`kernelcov: Using the embedded kernel. ${message.split(":")[0]}\n`);
  return await buildEmbeddedKernel();
}

/**
 * The kernel to boot for `--kernel embedded|NAME|PATH`: what has a slash is a path, all else a name.
 *
 * @param others what else the option takes, for the error
 * @throws {KcovUnavailableError} Where it has to be built and cannot.
 * @throws {TypeError} Where there is no kernel of user-mode Linux at the path.
 */
export async function guestKernel(
  name: string,
  others: readonly string[] = [],
): Promise<KernelFolder> {
  if (name.includes("/")) return ownKernel(name);
  return await buildEmbeddedKernel(kernelDefinition(name, others, " or a path with a slash"));
}

/** The kernel that was built under a name; `undefined` stands for the embedded one. */
export function kernelDefinition(
  name: string,
  others: readonly string[] = [],
  ending = "",
): KernelDefinition | undefined {
  if (name === "embedded") return undefined;
  const named = namedKernel(name);
  if (named !== undefined) return named;
  const names = [...others, "embedded", ...kernelNames()].join(", ");
  throw new UsageError(`Unknown kernel "${name}": use ${names}${ending}`);
}
