import { droppedOptions, type KernelOptions, parseKernelOptions } from "../kernel_options.ts";
import { archOf, vmConfiguration } from "./vm_options.ts";

/** What a machine needs to start that kernels may have as modules: their names, by option. */
export const MODULE_OPTIONS: ReadonlyMap<string, string> = new Map([
  ["CONFIG_VIRTIO_PCI", "virtio_pci"],
  ["CONFIG_VIRTIO_CONSOLE", "virtio_console"],
  ["CONFIG_NET_9P", "9pnet"],
  ["CONFIG_NET_9P_VIRTIO", "9pnet_virtio"],
  ["CONFIG_9P_FS", "9p"],
  ["CONFIG_OVERLAY_FS", "overlay"],
]);

/** Options that serve as well as one that kernelcov's kernels have. */
const ALTERNATIVES: ReadonlyMap<string, string> = new Map([
  ["CONFIG_DEBUG_INFO_DWARF5", "CONFIG_DEBUG_INFO_DWARF4"],
]);

/** What a kernel's configuration lacks of the options that a virtual machine needs. */
export interface MissingOptions {
  /** Number of options that it lacks. */
  readonly count: number;
  /** These as a fragment of a configuration: below what each is for, and what the configuration has instead. */
  readonly text: string;
}

/**
 * Looks which of the options that a virtual machine needs a configuration does not have. Drivers and file systems that
 * process 1 loads may be modules.
 *
 * @param text a whole configuration
 * @param origin its name, for errors
 * @throws {TypeError} It is no whole configuration of an architecture that virtual machines have.
 */
export function missingVmOptions(text: string, origin: string): MissingOptions {
  const has = parseKernelOptions(text, origin);
  const arch = archOf(has);
  if (arch === undefined) {
    throw new TypeError(
      `${origin} is not a whole configuration of x86_64 or arm64: name the .config of a build`,
    );
  }
  let count = 0;
  const parts = vmConfiguration(arch).split("\n\n").flatMap((part) => {
    const lacks = droppedOptions(parseKernelOptions(part, "virtual_machine.config"), has)
      .filter((line) => !serves(optionOf(line), has));
    count += lacks.length;
    const headings = part.split("\n").filter((line) => line.startsWith("# To "));
    const lines = lacks.flatMap((line) => [...instead(optionOf(line), has), line]);
    return lacks.length === 0 ? [] : [[...headings, ...lines, ""].join("\n")];
  });
  return { count, text: parts.join("\n") };
}

function optionOf(line: string): string {
  return line.slice(0, line.indexOf("="));
}

/** Whether a configuration without `option=y` has what is as good. */
function serves(option: string, has: KernelOptions): boolean {
  const other = ALTERNATIVES.get(option);
  return MODULE_OPTIONS.has(option) && has.get(option) === `${option}=m` ||
    other !== undefined && has.get(other) === `${other}=y`;
}

/** The value that a configuration has, as a comment that merge_config.sh does not take for an option. */
function instead(option: string, has: KernelOptions): string[] {
  const line = has.get(option);
  return line === undefined || line.startsWith("#")
    ? []
    : [`# instead of ${line.slice(line.indexOf("=") + 1)}:`];
}
