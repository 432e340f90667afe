import type { Readable, Writable } from "node:stream";

/** A command for a machine to run. */
export interface MachineCommand {
  /** Program and arguments; the program is looked for in `PATH` of `env`. */
  readonly command: readonly string[];
  /** Folder to run it in; the current one by default. */
  readonly cwd?: string;
  /** Its whole environment; this process's by default. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Its standard input: this process's by default, `null` for none. */
  readonly stdin?: Readable | null;
  readonly stdout?: Writable;
  readonly stderr?: Writable;
  /** How a signal reaches a command that is a child of this process; a guest signals the command's process group. */
  readonly forward?: ForwardSignal;
}

/** Forwards a signal of this process to the command; `pid` is the process that was started. */
export type ForwardSignal = (pid: number, signal: "SIGTERM" | "SIGHUP") => void;

/** How a command ended. */
export interface CommandEnd {
  /**
   * The command's exit status, 128 and the signal's number where a signal ended it, 124 after the time limit,
   * 130 and 143 where this process was interrupted and the command had to be killed; 3 where the guest ended before its
   * command.
   */
  readonly exitStatus: number;
  /** The command exited, or what ended it or its machine. */
  readonly end: "exited" | "timed-out" | "interrupted" | "powered-off" | "crashed" | "killed";
  /** What cut the command short, as a sentence without its full stop; `undefined` where it ended by itself. */
  readonly cut: string | undefined;
}

/** Where commands run, and the kernel that they run on. */
export interface Machine {
  /** ELF file of its kernel with debug information; `undefined` for the running kernel's, which has to be found. */
  readonly vmlinux: string | undefined;
  /** Whether its kernel has collectors; known before it boots. */
  readonly collectors: boolean;
  /** Whether changes of files are lost when a command ends, except in the folders that the machine may write to. */
  readonly discardsChanges: boolean;
  /**
   * Checks that a command's program can run here, as far as its file shows.
   *
   * @throws {TypeError} It cannot.
   */
  check(command: readonly string[], env: MachineCommand["env"]): void;
  /**
   * Boots the kernel, unless it is the running one, runs the command, and ends the guest.
   *
   * @throws {KcovUnavailableError} The kernel cannot be started; the message says what to change.
   * @throws {TypeError} The command cannot be run.
   */
  run(command: MachineCommand): Promise<CommandEnd>;
}

/** How a guest, a machine with a kernel of its own, runs its commands. */
export interface GuestOptions {
  /** Folders of the host that the command may write to. All other changes stay in the guest and are lost with it. */
  readonly write?: readonly string[];
  /** Time limit, from the command's start. */
  readonly timeoutMs?: number;
  /** The guest's memory, such as `2G`, the default. */
  readonly memory?: string;
  /** Parameters for the kernel's command line, such as `um_fault_around=0`. */
  readonly parameters?: readonly string[];
  /** Processors of a virtual machine; 1 by default. */
  readonly cpus?: number | undefined;
  /** The kernel's image with debug information, of a virtual machine whose image is not beside its kernel. */
  readonly vmlinux?: string | undefined;
  /** Whether the kernel's messages go to standard error as they come. */
  readonly dmesg?: boolean;
}
