import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { KcovUnavailableError } from "../../errors.ts";
import { RECIPE_FOLDER } from "../../build/kernel_folder.ts";
import {
  droppedOptions,
  type KernelOptions,
  parseKernelOptions,
} from "../../build/kernel_options.ts";

/** Where a build and those who copy from it keep the configuration. */
const NAMES = [".config", "config"];
/** A part of the fragment is for one architecture where its heading says so. */
const HEADING = /^# To start(?: on (\w+))?[.:]/;

/** Names of architectures as the kernel's source has them. */
export type ConfigurationArch = "x86_64" | "arm64";

/** The options that a kernel for virtual machines needs, as a fragment of a configuration. */
export function vmConfiguration(arch: ConfigurationArch): string {
  return parts().filter((part) => (HEADING.exec(part)?.[1] ?? arch) === arch).join("\n\n");
}

/** Those of them without which a machine does not start. */
function startOptions(arch: ConfigurationArch): KernelOptions {
  const start = parts().filter((part) => {
    const heading = HEADING.exec(part);
    return heading !== null && (heading[1] ?? arch) === arch;
  });
  return parseKernelOptions(start.join("\n"), "virtual_machine.config");
}

/** The fragment, cut at its empty lines. */
function parts(): string[] {
  return readFileSync(join(RECIPE_FOLDER, "virtual_machine.config"), "utf8").split("\n\n");
}

/**
 * Checks the configuration beside a kernel, where there is one, before it boots.
 *
 * @param folder of its build
 * @throws {KcovUnavailableError} The kernel cannot start in a virtual machine: the message has the options that it lacks.
 */
export function checkConfiguration(folder: string, arch: ConfigurationArch): void {
  const path = NAMES.map((name) => join(folder, name)).find(existsSync);
  if (path === undefined) return;
  const lacks = droppedOptions(
    startOptions(arch),
    parseKernelOptions(readFileSync(path, "utf8"), path),
  );
  if (lacks.length === 0) return;
  throw new KcovUnavailableError(
    "not-built-in",
    `This kernel cannot run in a virtual machine: ${path} lacks ${
      lacks.join(", ")
    }: add what kernelcov kernel config --vm prints, and build it again`,
  );
}
