import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { KcovUnavailableError } from "../../errors.ts";
import { RECIPE_FOLDER } from "../../build/kernel_folder.ts";
import { droppedOptions, parseKernelOptions } from "../../build/kernel_options.ts";

/** Ends the options without which a virtual machine does not start. */
const END_OF_START = "# To run programs.";
/** Where a build and those who copy from it keep the configuration. */
const NAMES = [".config", "config"];

/** The options that a kernel for virtual machines needs, as a fragment of a configuration. */
export function vmConfiguration(): string {
  return readFileSync(join(RECIPE_FOLDER, "virtual_machine.config"), "utf8");
}

/**
 * Checks the configuration beside a kernel, where there is one, before it boots.
 *
 * @param folder of its build
 * @throws {KcovUnavailableError} The kernel cannot start in a virtual machine: the message has the options that it lacks.
 */
export function checkConfiguration(folder: string): void {
  const path = NAMES.map((name) => join(folder, name)).find(existsSync);
  if (path === undefined) return;
  const all = vmConfiguration();
  const wanted = parseKernelOptions(
    all.slice(0, all.indexOf(END_OF_START)),
    "virtual_machine.config",
  );
  const lacks = droppedOptions(wanted, parseKernelOptions(readFileSync(path, "utf8"), path));
  if (lacks.length === 0) return;
  throw new KcovUnavailableError(
    "not-built-in",
    `This kernel cannot run in a virtual machine: ${path} lacks ${
      lacks.join(", ")
    }: add what kernelcov kernel config --vm prints, and build it again`,
  );
}
