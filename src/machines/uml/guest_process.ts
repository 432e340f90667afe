import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { realpathSync, rmSync } from "node:fs";
import process from "node:process";
import type { Readable } from "node:stream";
import { makeGuestFolder } from "./guest_folder.ts";
import { quietCpu } from "./quiet_cpu.ts";

/** Bytes of the kernel's messages that are kept. */
const LOG_BYTES = 65_536;

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

/**
 * The processes of one running guest: the kernel's and, as its children, one for each address space of the guest. They
 * are one process group, so that they end together whatever happens.
 */
export class GuestProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #folder: string;
  #log = "";
  #running = true;
  #backlog = 0;

  /** Settles when all of the guest is gone: the signal that ended its kernel, if one did. */
  readonly ended: Promise<string | undefined>;

  constructor(machine: GuestBoot) {
    // Holds the file behind the memory, the kernel's pid file and what a crash may leave; deleted at the end.
    this.#folder = makeGuestFolder(realpathSync(machine.memoryFolder));
    const child = spawn(
      machine.launcher,
      [
        ...launcherArguments(machine, this.#folder),
        "--",
        machine.linux,
        ...kernelArguments(machine, this.#folder),
      ],
      {
        cwd: this.#folder,
        env: {
          PATH: process.env["PATH"] ?? "/usr/bin:/bin",
          HOME: this.#folder,
          TMPDIR: this.#folder,
        },
        stdio: ["pipe", "pipe", "pipe"],
        detached: true,
      },
    );
    this.#child = child;
    const decoder = new TextDecoder();
    child.stderr.on("data", (bytes: Uint8Array) => {
      const text = decoder.decode(bytes, { stream: true });
      this.#log = (this.#log + text).slice(-LOG_BYTES);
      machine.onMessages?.(text);
    });
    // Writing to a guest that has just ended is not an error: `ended` tells.
    child.stdin.on("error", () => {});
    const { promise, resolve, reject } = Promise.withResolvers<string | undefined>();
    this.ended = promise;
    child.on("error", (error) => {
      this.#finish();
      reject(error);
    });
    child.on("close", (_code, signal) => {
      this.#finish();
      resolve(signal ?? undefined);
    });
  }

  /** What the guest sends. */
  get output(): Readable {
    return this.#child.stdout;
  }

  /** The kernel's messages, the last part of them. */
  get log(): string {
    return this.#log;
  }

  /** Bytes sent to the guest that it has not read yet. */
  get backlog(): number {
    return this.#backlog;
  }

  /** Sends bytes to the guest. */
  send(bytes: Uint8Array): void {
    if (!this.#running) return;
    // Not the stream's own count, which is always 0 in Bun.
    this.#backlog += bytes.length;
    this.#child.stdin.write(bytes, () => this.#backlog -= bytes.length);
  }

  /** Ends all of the guest's processes at once. */
  kill(): void {
    const pid = this.#child.pid;
    if (pid === undefined) return;
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }

  #finish(): void {
    this.#running = false;
    // A kernel that crashed may have left processes of its address spaces behind.
    this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
