import { readFileSync } from "node:fs";
import { join } from "node:path";
import { KcovUnavailableError } from "../../errors.ts";
import { RECIPE_FOLDER } from "../kernel_folder.ts";
import {
  droppedOptions,
  type KernelOptions,
  mergeKernelOptions,
  parseKernelOptions,
} from "../kernel_options.ts";
import type { RefusedOptions, TreeConfig, UserConfig } from "../tree/tree_options.ts";
import type { VmArch } from "./vm_arch.ts";

/** A part of a fragment is for one architecture where its heading says so. */
const HEADING = /^# To start(?: on (\w+))?[.:]/;

/** Options of the embedded kernel that are of user-mode Linux alone. */
const USER_MODE =
  /^CONFIG_(?:HOSTFS|SSL|SSL_CHAN|NULL_CHAN|STDERR_CONSOLE|CON_ZERO_CHAN|CON_CHAN)$/;

/** The options that a kernel for virtual machines needs, as a fragment of a configuration. */
export function vmConfiguration(arch: VmArch): string {
  return partsFor("virtual_machine.config", arch).join("\n\n");
}

/** Those of them without which a machine does not start. */
export function startOptions(arch: VmArch): KernelOptions {
  const start = partsFor("virtual_machine.config", arch).filter((part) => HEADING.test(part));
  return parseKernelOptions(start.join("\n"), "virtual_machine.config");
}

/** A file of the recipe, cut at its empty lines, without the parts for other architectures. */
function partsFor(name: string, arch: VmArch): string[] {
  return readFileSync(join(RECIPE_FOLDER, name), "utf8").split("\n\n")
    .filter((part) => (HEADING.exec(part)?.[1] ?? arch) === arch);
}

/**
 * The configuration of a tree's kernel for virtual machines: kernelcov's own, with the options of a fragment of the
 * user's, or a whole configuration of the user's with what a virtual machine needs.
 *
 * @throws {TypeError} A line is no option, or the configuration is of another architecture.
 */
export function vmTreeConfig(arch: VmArch, user?: UserConfig): TreeConfig {
  const needed = parseKernelOptions(vmConfiguration(arch), "virtual_machine.config");
  const users = user === undefined ? new Map() : parseKernelOptions(user.text, user.origin);
  // Kconfig notes the compiler in each configuration that it completes.
  const whole = users.has("CONFIG_CC_VERSION_TEXT");
  if (whole) {
    if (archOf(users) !== arch) {
      throw new TypeError(
        `${user?.origin} is not a configuration of ${arch}: make one with make ARCH=${arch} defconfig, or name a file with single options`,
      );
    }
    const text = mergeKernelOptions(users, needed);
    return { text, target: "olddefconfig", wanted: needed, users, whole };
  }
  const file = join(RECIPE_FOLDER, "config");
  const embedded = parseKernelOptions(readFileSync(file, "utf8"), file);
  const own = parseKernelOptions(
    partsFor("kernels/vm_kernel.config", arch).join("\n\n"),
    "kernels/vm_kernel.config",
  );
  const base = new Map([
    ...[...embedded].filter(([name]) => !USER_MODE.test(name)),
    ...needed,
    ...own,
  ]);
  const text = mergeKernelOptions(base, users);
  return { text, target: "allnoconfig", wanted: parseKernelOptions(text, file), users, whole };
}

/** The architecture that a whole configuration is of; `undefined` where it is of another, or only a part of one. */
export function archOf(options: KernelOptions): VmArch | undefined {
  const names = { x86_64: "CONFIG_X86_64", arm64: "CONFIG_ARM64" } as const;
  return (["x86_64", "arm64"] as const).find((arch) =>
    options.get(names[arch]) === `${names[arch]}=y`
  );
}

/**
 * Looks which of the wanted options a configuration that make has completed does not have.
 *
 * @throws {KcovUnavailableError} Those without which a machine does not start or records nothing, or single options that
 *   the user asks for: the message names each.
 */
export function checkVmConfig(arch: VmArch, config: TreeConfig, made: string): RefusedOptions {
  const options = parseKernelOptions(made, ".config");
  const users = droppedOptions(config.users, options);
  const refused = config.whole ? [] : users;
  const start = droppedOptions(
    new Map([...startOptions(arch), ["CONFIG_KCOV", "CONFIG_KCOV=y"]]),
    options,
  );
  const dropped = droppedOptions(config.wanted, options);
  if (refused.length > 0) {
    throw new KcovUnavailableError(
      "not-built-in",
      `The tree's Kconfig does not accept ${
        refused.join(", ")
      }: add the options that these depend on, as ${arch} has them`,
    );
  }
  if (start.length > 0) {
    throw new KcovUnavailableError(
      "not-built-in",
      `The kernel cannot do without ${
        start.join(", ")
      }, which the tree's Kconfig does not accept with this configuration: ${
        config.whole ? "change it" : "use a tree that has them"
      }`,
    );
  }
  return {
    missing: dropped.filter((line) => !config.users.has(/CONFIG_\w+/.exec(line)![0])),
    lost: [],
  };
}
