import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { KcovUnavailableError } from "../../errors.ts";
import { droppedOptions, parseKernelOptions } from "../../build/kernel_options.ts";
import type { VmArch } from "../../build/vm/vm_arch.ts";
import { startOptions } from "../../build/vm/vm_options.ts";
import { isStartModule } from "./start_modules.ts";

/** Where a build and those who copy from it keep the configuration. */
const NAMES = [".config", "config"];

/** The configuration of a kernel in the folder of its build; `undefined` where there is none. */
export function configurationIn(folder: string): string | undefined {
  return NAMES.map((name) => join(folder, name)).find(existsSync);
}

/**
 * Checks the configuration beside a kernel, where there is one, before it boots.
 *
 * @param folder of its build
 * @param modules paths of modules that are loaded when it starts
 * @throws {KcovUnavailableError} The kernel cannot start in a virtual machine: the message has the options that it lacks.
 */
export function checkConfiguration(
  folder: string,
  arch: VmArch,
  modules: readonly string[] = [],
): void {
  const path = configurationIn(folder);
  if (path === undefined) return;
  const lacks = droppedOptions(
    startOptions(arch),
    parseKernelOptions(readFileSync(path, "utf8"), path),
  ).filter((line) => !isStartModule(line, modules));
  if (lacks.length === 0) return;
  throw new KcovUnavailableError(
    "not-built-in",
    `This kernel cannot run in a virtual machine: ${path} lacks ${
      lacks.join(", ")
    }: add what kernelcov kernel config --vm prints, and build it again`,
  );
}
