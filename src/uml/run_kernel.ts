import { accessSync, constants, realpathSync, statSync } from "node:fs";
import { hostname } from "node:os";
import process from "node:process";
import type { Readable, Writable } from "node:stream";
import { KcovUnavailableError } from "../errors.ts";
import { buildEmbeddedKernel } from "./build_kernel.ts";
import { explainFailure, hostFacts, mapLimitHint } from "./guest_failure.ts";
import { ensureGuestInit } from "./guest_init.ts";
import { GuestInput } from "./guest_input.ts";
import { GuestProcess } from "./guest_process.ts";
import {
  encodeFrame,
  encodeStart,
  encodeWindow,
  exitStatusFromWait,
  type Frame,
  FrameReader,
  FromGuest,
  ToGuest,
  type WindowSize,
} from "./guest_protocol.ts";
import type { KernelFolder } from "./kernel_folder.ts";
import { chooseMemoryFolder, memoryFolders, parseMemorySize } from "./memory_folder.ts";

/** A guest that has not come up after this time never will; it takes a fifth of a second when the machine is idle. */
const BOOT_MS = 60_000;
/** Time for a command to end by itself after Ctrl-C, and for the guest to store its files after a kill. */
const GRACE_MS = 5_000;

const SIGINT = 2;
const SIGKILL = 9;
const SIGPIPE = 13;

/** How a guest ended. */
export type GuestEnd = "exited" | "timed-out" | "interrupted" | "powered-off";

/** What came of a command in the guest. */
export interface GuestResult {
  /**
   * The command's exit status, 128 and the signal's number where a signal ended it, 124 after the time limit,
   * 130 and 143 where this process was told to end and the command had to be killed. `powered-off` has none: 3.
   */
  readonly exitStatus: number;
  readonly end: GuestEnd;
}

/** A command for {@linkcode runInKernel}. */
export interface GuestCommand {
  /** Program and arguments; the program is looked for in `PATH` of `env`. */
  readonly command: readonly string[];
  /** The kernel to run it in; the embedded one by default. */
  readonly kernel?: KernelFolder;
  /** Folder to run it in; the current one by default. */
  readonly cwd?: string;
  /** Its whole environment; this process's by default. `KERNELCOV_VMLINUX` is set to the kernel's image. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Folders of the host that it may write to. All other changes stay in the guest and are lost with it. */
  readonly write?: readonly string[];
  /** Time limit, from the command's start. */
  readonly timeoutMs?: number;
  /** The guest's memory, such as `2G`, the default. */
  readonly memory?: string;
  /** Its standard input: this process's by default, `null` for none. */
  readonly stdin?: Readable | null;
  readonly stdout?: Writable;
  readonly stderr?: Writable;
  /** Run it on a terminal of its own. By default where all three standard streams are terminals. */
  readonly terminal?: boolean;
}

/** Runs one command in a freshly booted embedded kernel, which is built first where it is not there.
 *
 * @throws {KcovUnavailableError} the kernel cannot be built or started here, or it crashed; the message says what to change.
 * @throws {TypeError} the command is empty, or a folder cannot be used.
 * @throws {RangeError} the memory is no size, or fits nowhere.
 */
export async function runInKernel(command: GuestCommand): Promise<GuestResult> {
  const {
    stdin = process.stdin,
    stdout = process.stdout,
    stderr = process.stderr,
    env = process.env,
  } = command;
  if (command.command.length === 0) {
    throw new TypeError("There is no command to run in the guest: name one behind --");
  }
  const memoryBytes = parseMemorySize(command.memory ?? "2G");
  const write = writableFolders(command.write ?? []);
  const cwd = realpathSync(command.cwd ?? process.cwd());
  const onTerminal = command.terminal ??
    (isTerminal(stdin) && isTerminal(stdout) && isTerminal(stderr));
  const folder = command.kernel ?? await buildEmbeddedKernel();
  const machine = {
    linux: folder.linux,
    init: ensureGuestInit(folder),
    memoryBytes,
    memoryFolder: chooseMemoryFolder(memoryFolders(), memoryBytes),
  };
  const start = encodeStart({
    command: command.command,
    cwd,
    env: { ...definedOnly(env), PWD: cwd, KERNELCOV_VMLINUX: folder.vmlinux },
    write,
    hostname: hostname(),
    input: stdin !== null,
    terminal: onTerminal ? windowSize(stdout) : undefined,
  });
  const session = new GuestSession(new GuestProcess(machine), start, {
    stdin,
    stdout,
    stderr,
    timeoutMs: command.timeoutMs,
  });
  const release = onTerminal ? takeTerminal(stdin, stdout, session) : takeSignals(session);
  try {
    return await session.result();
  } finally {
    release();
  }
}

interface SessionOptions {
  readonly stdin: Readable | null;
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly timeoutMs: number | undefined;
}

/** One guest and its command, from boot to the end. */
class GuestSession {
  readonly #guest: GuestProcess;
  readonly #start: Uint8Array;
  readonly #options: SessionOptions;
  readonly #input: GuestInput | undefined;
  readonly #reader = new FrameReader();
  readonly #timers: ReturnType<typeof setTimeout>[] = [];
  readonly #settled = Promise.withResolvers<void>();
  readonly #sinkErrors = new Map<Writable, () => void>();
  #greeted = false;
  #ready = false;
  #waitStatus: number | undefined;
  #failure: string | undefined;
  #timedOut = false;
  #rebooted = false;
  /** The signal that this process was told to end with. */
  #endSignal = 0;

  constructor(guest: GuestProcess, start: Uint8Array, options: SessionOptions) {
    this.#guest = guest;
    this.#start = start;
    this.#options = options;
    if (options.stdin !== null) {
      this.#input = new GuestInput(options.stdin, (frame) => guest.send(frame));
    }
    guest.output.on("data", (bytes: Uint8Array) => this.#receive(bytes));
    this.#after(BOOT_MS, () => {
      if (this.#ready) return;
      this.#failure = `The guest did not start within ${
        BOOT_MS / 1000
      } s: the machine may be too busy`;
      guest.kill();
    });
    for (const sink of new Set([options.stdout, options.stderr])) {
      // Nobody reads the output any more: the command gets what it would have got from the pipe itself.
      const onError = (): void => this.signal(SIGPIPE);
      sink.on("error", onError);
      this.#sinkErrors.set(sink, onError);
    }
  }

  /** Sends a signal to the command's process group. */
  signal(number: number): void {
    this.#guest.send(encodeFrame(ToGuest.SIGNAL, Uint8Array.of(number)));
  }

  /** Tells the guest that the terminal has a new size. */
  resize(size: WindowSize): void {
    this.#guest.send(encodeWindow(size));
  }

  /** This process was told to end: the command too, and if it does not, or at the second time, the guest with it. */
  interrupt(number: number): void {
    const again = this.#endSignal !== 0;
    this.#endSignal ||= number;
    if (!this.#ready) this.#guest.kill();
    else if (again) this.#stop();
    else {
      this.signal(number);
      this.#after(GRACE_MS, () => this.#stop());
    }
  }

  async result(): Promise<GuestResult> {
    await Promise.race([this.#settled.promise, this.#guest.ended]);
    if (this.#waitStatus !== undefined) {
      // Files are stored by now; the kernel needs only a moment more to power off.
      this.#after(2000, () => this.#guest.kill());
    }
    const killedBy = await this.#guest.ended.finally(() => this.#close());
    await Promise.all([flush(this.#options.stdout), flush(this.#options.stderr)]);
    return this.#judge(killedBy);
  }

  #judge(killedBy: string | undefined): GuestResult {
    const facts = hostFacts();
    const hint = mapLimitHint(this.#guest.log, facts);
    if (this.#timedOut) return { exitStatus: 124, end: "timed-out" };
    if (this.#waitStatus !== undefined) {
      if (hint !== undefined) this.#options.stderr.write(`kernelcov: ${hint}\n`);
      const exitStatus = exitStatusFromWait(this.#waitStatus);
      return { exitStatus, end: this.#endSignal === 0 ? "exited" : "interrupted" };
    }
    if (this.#endSignal !== 0) {
      return { exitStatus: 128 + this.#endSignal, end: "interrupted" };
    }
    if (this.#failure !== undefined) throw new KcovUnavailableError("not-permitted", this.#failure);
    const panicked = killedBy !== undefined || /Kernel panic/.test(this.#guest.log);
    if (this.#rebooted || (this.#ready && !panicked)) return { exitStatus: 3, end: "powered-off" };
    throw new KcovUnavailableError("not-permitted", explainFailure(this.#guest.log, facts));
  }

  #receive(bytes: Uint8Array): void {
    for (const frame of this.#reader.push(bytes)) this.#take(frame);
  }

  #take({ type, payload }: Frame): void {
    switch (type) {
      case FromGuest.HELLO:
        if (this.#greeted) {
          // User-mode Linux restarts itself when the guest reboots.
          this.#rebooted = true;
          this.#guest.kill();
        } else {
          this.#greeted = true;
          this.#guest.send(this.#start);
        }
        break;
      case FromGuest.READY:
        this.#ready = true;
        this.#input?.want();
        if (this.#options.timeoutMs !== undefined) {
          this.#after(this.#options.timeoutMs, () => {
            if (this.#waitStatus !== undefined) return;
            this.#timedOut = true;
            this.#stop();
          });
        }
        break;
      case FromGuest.STDOUT:
        this.#write(this.#options.stdout, payload);
        break;
      case FromGuest.STDERR:
        this.#write(this.#options.stderr, payload);
        break;
      case FromGuest.WANT:
        this.#input?.want();
        break;
      case FromGuest.EXIT:
        this.#waitStatus = new DataView(payload.buffer, payload.byteOffset).getInt32(0, true);
        this.#settled.resolve();
        break;
      case FromGuest.FAILED:
        this.#failure = new TextDecoder().decode(payload);
        break;
    }
  }

  /** Kills the command, so that the guest stores its files and ends; then the guest, where it hangs. */
  #stop(): void {
    this.signal(SIGKILL);
    this.#after(GRACE_MS, () => this.#guest.kill());
  }

  #write(sink: Writable, bytes: Uint8Array): void {
    if (sink.destroyed || sink.write(bytes)) return;
    this.#guest.output.pause();
    sink.once("drain", () => this.#guest.output.resume());
    sink.once("error", () => this.#guest.output.resume());
  }

  #after(milliseconds: number, body: () => void): void {
    this.#timers.push(setTimeout(body, milliseconds));
  }

  #close(): void {
    this.#timers.forEach(clearTimeout);
    this.#input?.close();
    for (const [sink, onError] of this.#sinkErrors) sink.off("error", onError);
  }
}

/** Ctrl-C and the like reach this process; they are meant for the command. */
function takeSignals(session: GuestSession): () => void {
  const signals = { SIGINT, SIGTERM: 15, SIGHUP: 1 } as const;
  const handlers = Object.entries(signals).map(([name, number]) => {
    const handler = (): void => session.interrupt(number);
    process.on(name, handler);
    return () => void process.off(name, handler);
  });
  return () => handlers.forEach((forget) => forget());
}

/** The guest's terminal takes the keys, Ctrl-C among them, and follows the size of this one. */
function takeTerminal(
  stdin: Readable | null,
  stdout: Writable,
  session: GuestSession,
): () => void {
  const keyboard = stdin as (Readable & { setRawMode?: (raw: boolean) => void }) | null;
  const onResize = (): void => session.resize(windowSize(stdout));
  const forgetSignals = takeSignals(session);
  keyboard?.setRawMode?.(true);
  stdout.on("resize", onResize);
  return () => {
    forgetSignals();
    stdout.off("resize", onResize);
    keyboard?.setRawMode?.(false);
  };
}

function isTerminal(stream: Readable | Writable | null): boolean {
  return (stream as { isTTY?: boolean } | null)?.isTTY === true;
}

function windowSize(stream: Writable): WindowSize {
  const { rows, columns } = stream as Writable & { rows?: number; columns?: number };
  return { rows: rows ?? 24, columns: columns ?? 80 };
}

function flush(sink: Writable): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (sink.destroyed || sink.writableEnded) resolve();
  else {
    sink.once("error", () => resolve());
    sink.write(new Uint8Array(0), () => resolve());
  }
  return promise;
}

function definedOnly(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** Real paths of the folders, outer ones first: mounted in this order none hides another. */
function writableFolders(paths: readonly string[]): string[] {
  return [...new Set(paths.map(writableFolder))].sort();
}

function writableFolder(path: string): string {
  let real: string;
  try {
    real = realpathSync(path);
    accessSync(real, constants.W_OK);
  } catch (cause) {
    throw new TypeError(
      `The guest cannot write to ${path}: make that folder first, and check that you may write to it`,
      { cause },
    );
  }
  if (!statSync(real).isDirectory()) {
    throw new TypeError(`The guest cannot write to ${path}: name the folder that it is in`);
  }
  if (real === "/") {
    throw new TypeError("The guest may not write to all of /: name the folders that it needs");
  }
  return real;
}
