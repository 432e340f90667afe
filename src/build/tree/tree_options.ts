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

/** Options of the embedded kernel without which a kernel cannot record a command of the host's, or report on it. */
const NEEDED =
  ("64BIT MULTIUSER PRINTK DEBUG_KERNEL DEBUG_FS DEBUG_INFO_DWARF5 KCOV KCOV_INSTRUMENT_ALL HOSTFS SSL NULL_CHAN " +
    "STDERR_CONSOLE SSL_CHAN CON_ZERO_CHAN CON_CHAN TTY UNIX98_PTYS BINFMT_ELF BINFMT_SCRIPT POSIX_TIMERS FUTEX EPOLL " +
    "SIGNALFD TIMERFD EVENTFD ADVISE_SYSCALLS MEMBARRIER FILE_LOCKING MEMFD_CREATE SHMEM OVERLAY_FS TMPFS DEVTMPFS " +
    "PROC_FS PROC_SYSCTL PROC_CHILDREN SYSFS BLOCK NET UNIX INET").split(" ").map((name) =>
      `CONFIG_${name}`
    );

/** A configuration of the user's. */
export interface UserConfig {
  /** The file's name, for errors. */
  readonly origin: string;
  readonly text: string;
}

/** What a tree is configured with. */
export interface TreeConfig {
  /** The configuration to start from. */
  readonly text: string;
  /** The target of make that completes it: options that `text` does not name are off, or have their default. */
  readonly target: "allnoconfig" | "olddefconfig";
  readonly wanted: KernelOptions;
  /** Options that the user asks for. */
  readonly users: KernelOptions;
  /** The user's is a whole configuration, as make leaves it in `.config`. */
  readonly whole: boolean;
}

/**
 * The configuration of a tree: the embedded kernel's, with the options of a fragment of the user's, or a whole
 * configuration of the user's with those options that are needed.
 *
 * @throws {TypeError} A line is no option, or the configuration is of another architecture.
 */
export function treeConfig(user?: UserConfig): TreeConfig {
  const file = join(RECIPE_FOLDER, "config");
  const own = parseKernelOptions(readFileSync(file, "utf8"), file);
  const users = user === undefined ? new Map() : parseKernelOptions(user.text, user.origin);
  // Kconfig notes the compiler in each configuration that it completes.
  const whole = users.has("CONFIG_CC_VERSION_TEXT");
  if (whole && users.get("CONFIG_UML") !== "CONFIG_UML=y") {
    throw new TypeError(
      `${user?.origin} is not a configuration of user-mode Linux: make one with make ARCH=um defconfig, or name a file with single options`,
    );
  }
  if (!whole) {
    const text = mergeKernelOptions(own, users);
    return { text, target: "allnoconfig", wanted: parseKernelOptions(text, file), users, whole };
  }
  const needed = new Map([...own].filter(([name]) => NEEDED.includes(name)));
  const text = mergeKernelOptions(users, needed);
  return { text, target: "olddefconfig", wanted: needed, users, whole };
}

/** Options that a tree's Kconfig did not accept. */
export interface RefusedOptions {
  /** Lines of the embedded kernel's that the tree does not have and that can be done without. */
  readonly missing: readonly string[];
  /** Lines of a whole configuration of the user's that did not stay. */
  readonly lost: readonly string[];
}

/**
 * Looks which of the wanted options a configuration that make has completed does not have.
 *
 * @throws {KcovUnavailableError} Needed ones, or single options that the user asks for: the message names each.
 */
export function checkTreeConfig(config: TreeConfig, made: string): RefusedOptions {
  const options = parseKernelOptions(made, ".config");
  const dropped = droppedOptions(config.wanted, options);
  const users = droppedOptions(config.users, options);
  const refused = config.whole ? [] : users;
  const needed = dropped.filter((line) =>
    !refused.includes(line) && NEEDED.includes(/CONFIG_\w+/.exec(line)![0])
  );
  const problems = [
    ...refused.length > 0
      ? [
        `The tree's Kconfig does not accept ${
          refused.join(", ")
        }: add the options that these depend on, as user-mode Linux has them`,
      ]
      : [],
    ...needed.length > 0
      ? [
        `The kernel cannot do without ${
          needed.join(", ")
        }, which the tree's Kconfig does not accept with this ` +
        `configuration: ${config.whole ? "change it" : "use a tree that has them"}`,
      ]
      : [],
  ];
  if (problems.length > 0) throw new KcovUnavailableError("not-built-in", problems.join("\n"));
  return {
    missing: dropped.filter((line) => !config.users.has(/CONFIG_\w+/.exec(line)![0])),
    // What the compiler can do is not the user's choice, nor what was replaced.
    lost: config.whole
      ? users.filter((line) =>
        !/^(?:# )?CONFIG_(?:\w+_VERSION|\w+_VERSION_TEXT|CC_\w+|AS_\w+|LD_\w+|GCC\w*|CLANG\w*|TOOLS_SUPPORT\w+|PAHOLE\w*)\b/
          .test(line) && !config.wanted.has(/CONFIG_\w+/.exec(line)![0])
      )
      : [],
  };
}
