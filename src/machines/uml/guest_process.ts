import { realpathSync } from "node:fs";
import { GuestChild } from "../guest/guest_child.ts";
import { makeGuestFolder } from "../guest/guest_folder.ts";
import { quietCpu } from "./quiet_cpu.ts";

/** What a guest is started from. */
export interface GuestBoot {
  /** What confines the kernel and starts it. */
  readonly launcher: string;
  /** The kernel to start, an ELF file. */
  readonly linux: string;
  /** The guest's process 1. */
  readonly init: string;
  readonly memoryBytes: number;
  /** Parameters for the kernel's command line besides those of every guest. */
  readonly parameters: readonly string[];
  /** Folder for the file behind the guest's memory. */
  readonly memoryFolder: string;
  /** Real paths of the folders of the host that the guest may write to, none inside another. */
  readonly write: readonly string[];
  /** Gets the kernel's messages as they come. */
  readonly onMessages?: (text: string) => void;
}

/** A value of the kernel's command line, which splits at spaces outside of quotes. */
function quoted(path: string): string {
  if (/["\n]/.test(path)) {
    throw new TypeError(
      `The guest's kernel cannot take the path ${
        JSON.stringify(path)
      }: set XDG_CACHE_HOME to a path without quotes`,
    );
  }
  return path.includes(" ") ? `"${path}"` : path;
}

/** The kernel's arguments. */
export function kernelArguments(machine: GuestBoot, runFolder: string): string[] {
  return [
    `mem=${Math.floor(machine.memoryBytes / 1024)}K`,
    "root=/dev/root",
    "rootfstype=hostfs",
    "rootflags=/",
    "ro",
    `init=${quoted(machine.init)}`,
    // The serial line of the protocol is this process's pipes.
    "ssl0=fd:0,fd:1",
    // The kernel's messages go to standard error: from its first moment, and when the console driver has taken over.
    "stderr=1",
    "con=null",
    "con0=null,fd:2",
    // All messages, with their times: what led to a crash is not known before it.
    "ignore_loglevel",
    "printk.time=1",
    // The supervisor's marks, one for each test, must not be dropped for being many.
    "printk.devkmsg=on",
    // The host's random bytes count. A kernel before 6.2 that is configured otherwise gathers its own for 15 seconds and
    // more, and Bun's first random number waits for them.
    "random.trust_cpu=on",
    "oops=panic",
    // User-mode Linux would restart in this process, and loop where a signal comes before it can handle one.
    "noreboot",
    `uml_dir=${runFolder}/`,
    "umid=guest",
    ...machine.parameters,
  ];
}

/** The launcher's arguments: the run folder is the only other place that the kernel itself writes to. */
function launcherArguments({ write }: GuestBoot, runFolder: string): string[] {
  const cpu = quietCpu();
  const outside = !write.some((folder) => runFolder.startsWith(`${folder}/`));
  return [
    ...cpu === undefined ? [] : ["-c", String(cpu)],
    ...[...write, ...outside ? [runFolder] : []].flatMap((folder) => ["-w", folder]),
  ];
}

/** A running guest of user-mode Linux: the kernel's process and, as its children, one for each address space. */
export class GuestProcess extends GuestChild {
  constructor(machine: GuestBoot) {
    // Holds the file behind the memory, the kernel's pid file and what a crash may leave.
    const folder = makeGuestFolder(realpathSync(machine.memoryFolder));
    super({
      program: machine.launcher,
      args: [
        ...launcherArguments(machine, folder),
        "--",
        machine.linux,
        ...kernelArguments(machine, folder),
      ],
      folder,
      onMessages: machine.onMessages,
    });
  }
}
