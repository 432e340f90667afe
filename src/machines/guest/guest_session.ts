import { constants } from "node:os";
import type { Readable, Writable } from "node:stream";
import { FormatError, KcovUnavailableError } from "../../errors.ts";
import type { CommandEnd } from "../machine.ts";
import { GuestInput } from "./guest_input.ts";
import {
  encodeFrame,
  encodeWindow,
  exitStatusFromWait,
  type Frame,
  FrameReader,
  FromGuest,
  ToGuest,
  type WindowSize,
} from "./guest_protocol.ts";

/** Time for a command to end by itself after Ctrl-C and at its time limit, and for the guest to store its files after a kill. */
const GRACE_MS = 5_000;

/** Input that a guest may ask for and not read. */
const MOST_BACKLOG = 1 << 20;

const SIGKILL = 9;
const SIGPIPE = 13;
const SIGTERM = 15;

/** The processes of one running guest, and the line to its process 1. */
export interface GuestLink {
  /** What the guest sends. */
  readonly output: Readable;
  /** The kernel's messages, the last part of them. */
  readonly log: string;
  /** Bytes sent to the guest that it has not read yet. */
  readonly backlog: number;
  /** Settles when all of the guest is gone: the signal that ended it, if one did. */
  readonly ended: Promise<string | undefined>;
  /** Sends bytes to the guest. */
  send(bytes: Uint8Array): void;
  /** Ends all of the guest's processes at once. */
  kill(): void;
}

/** What differs between kinds of guests. */
export interface GuestKind {
  /** A guest that has not booted after this time never will. */
  readonly bootMs: number;
  /** How long a guest takes to end by itself that has sent its last frame. */
  readonly endMs: number;
  /** What the line is in the guest, such as `serial line`. */
  readonly lineName: string;
  /** Where it is there, such as `/dev/ttyS0`. */
  readonly line: string;
  /** Why a guest ended before its command began, from its kernel's messages: what to change is in it. */
  readonly explain: (log: string, killedBy: string | undefined) => string;
  /** What the messages of a guest that ended well say to change, if anything. */
  readonly hint?: (log: string) => string | undefined;
}

/** Where a session's streams go. */
export interface SessionOptions {
  readonly kind: GuestKind;
  readonly stdin: Readable | null;
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly timeoutMs: number | undefined;
  /** One line for the user where the guest's kernel does not seal its mounts of the host's folders. */
  readonly explainUnsealed: () => string;
}

/** One guest and its command, from boot to the end. */
export class GuestSession {
  readonly #guest: GuestLink;
  readonly #start: Uint8Array;
  readonly #options: SessionOptions;
  readonly #input: GuestInput | undefined;
  readonly #reader = new FrameReader();
  readonly #timers: ReturnType<typeof setTimeout>[] = [];
  readonly #settled = Promise.withResolvers<void>();
  readonly #full = new Set<Writable>();
  readonly #lost = new Set<Writable>();
  readonly #sinkErrors = new Map<Writable, () => void>();
  #greeted = false;
  #ready = false;
  #waitStatus: number | undefined;
  #failure: string | undefined;
  #timedOut = false;
  /** The guest was killed because it did not answer. */
  #silent = false;
  #rebooted = false;
  #distrusted = false;
  /** The signal that this process was told to end with. */
  #endSignal = 0;

  constructor(guest: GuestLink, start: Uint8Array, options: SessionOptions) {
    this.#guest = guest;
    this.#start = start;
    this.#options = options;
    if (options.stdin !== null) {
      this.#input = new GuestInput(options.stdin, (frame) => guest.send(frame));
    }
    guest.output.on("data", (bytes: Uint8Array) => this.#receive(bytes));
    const { bootMs } = options.kind;
    this.#after(bootMs, () => {
      if (this.#ready) return;
      this.#failure = `The guest did not start within ${
        bootMs / 1000
      } s: the machine may be too busy`;
      guest.kill();
    });
    for (const sink of new Set([options.stdout, options.stderr])) {
      const onError = (): void => this.#lose(sink);
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

  /** This process was interrupted: ends the command; if that takes too long, or the second time, the guest. */
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

  /**
   * What came of the command, when all of the guest is gone.
   *
   * @throws {KcovUnavailableError} the guest did not start.
   */
  async result(): Promise<CommandEnd> {
    await Promise.race([this.#settled.promise, this.#guest.ended]);
    if (this.#waitStatus !== undefined) {
      // Files are stored by now; the kernel needs only a moment more to power off.
      this.#after(this.#options.kind.endMs, () => this.#guest.kill());
    }
    const killedBy = await this.#guest.ended.finally(() => this.#close());
    const sinks = [this.#options.stdout, this.#options.stderr];
    await Promise.all(sinks.filter((sink) => !this.#lost.has(sink)).map(flush));
    return this.#judge(killedBy);
  }

  #judge(killedBy: string | undefined): CommandEnd {
    const { explain, hint } = this.#options.kind;
    if (this.#timedOut) {
      const limit = this.#options.timeoutMs! / 1000;
      const silent = this.#silent ? ", and its guest, which did not answer, was killed" : "";
      const cut = `The command was ended at its time limit of ${limit} s${silent}`;
      return { exitStatus: 124, end: "timed-out", cut };
    }
    const interrupted = `The run was ended by ${signalName(this.#endSignal)}`;
    if (this.#waitStatus !== undefined) {
      const hinted = hint?.(this.#guest.log);
      if (hinted !== undefined) this.#options.stderr.write(`kernelcov: ${hinted}\n`);
      const exitStatus = exitStatusFromWait(this.#waitStatus);
      if (this.#endSignal !== 0) return { exitStatus, end: "interrupted", cut: interrupted };
      const signal = this.#waitStatus & 0x7f;
      const cut = signal === 0 ? undefined : `The command was ended by ${signalName(signal)}`;
      return { exitStatus, end: "exited", cut };
    }
    if (this.#endSignal !== 0) {
      const cut = this.#ready ? interrupted : `${interrupted} while the guest started`;
      return { exitStatus: 128 + this.#endSignal, end: "interrupted", cut };
    }
    if (this.#failure !== undefined) throw new KcovUnavailableError("not-permitted", this.#failure);
    if (this.#ready) return { exitStatus: 3, ...this.#endOfGuest(killedBy) };
    throw new KcovUnavailableError(
      "not-permitted",
      explain(this.#guest.log, killedBy),
    );
  }

  /** How a guest ended whose command did not. */
  #endOfGuest(killedBy: string | undefined): Pick<CommandEnd, "end" | "cut"> {
    const way = /reboot: (Power down|System halted|Restarting system)\b[^\n]*\s*$/
      .exec(this.#guest.log)?.[1];
    if (this.#rebooted || way === "Restarting system") {
      return { end: "powered-off", cut: "The command restarted the guest" };
    }
    if (way === "System halted") return { end: "powered-off", cut: "The command halted the guest" };
    if (way === "Power down") {
      return { end: "powered-off", cut: "The command powered the guest off" };
    }
    if (/Kernel panic - not syncing/.test(this.#guest.log)) {
      return { end: "crashed", cut: "The guest's kernel panicked" };
    }
    const cut = killedBy === undefined
      ? "The guest ended without a message"
      : `The guest was ended by ${killedBy}: someone killed it, or the host ran out of memory`;
    return { end: "killed", cut };
  }

  #receive(bytes: Uint8Array): void {
    if (this.#distrusted) return;
    try {
      for (const frame of this.#reader.push(bytes)) this.#take(frame);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.#distrust();
    }
  }

  /** Something else than the guest's process 1 has written to the line: no status on it can be trusted. */
  #distrust(): void {
    const { line, lineName } = this.#options.kind;
    this.#failure =
      `The guest's ${lineName}, which carries the command's output, was written to by something else: leave ${line} alone`;
    this.#waitStatus = undefined;
    this.#distrusted = true;
    this.#guest.kill();
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
      case FromGuest.UNSEALED:
        if (!this.#ready) {
          this.#options.stderr.write(`kernelcov: ${this.#options.explainUnsealed()}\n`);
        }
        break;
      case FromGuest.READY:
        if (this.#ready) break;
        this.#ready = true;
        this.#input?.want();
        if (this.#options.timeoutMs !== undefined) {
          this.#after(this.#options.timeoutMs, () => {
            if (this.#waitStatus !== undefined) return;
            this.#timedOut = true;
            this.signal(SIGTERM);
            this.#after(GRACE_MS, () => this.#stop());
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
        if (this.#guest.backlog > MOST_BACKLOG) this.#distrust();
        else this.#input?.want();
        break;
      case FromGuest.EXIT:
        this.#waitStatus = new DataView(payload.buffer, payload.byteOffset).getInt32(0, true);
        this.#settled.resolve();
        break;
      case FromGuest.FAILED:
        this.#failure = new TextDecoder().decode(payload);
        this.#after(this.#options.kind.endMs, () => this.#guest.kill());
        break;
    }
  }

  /** Kills the command, so that the guest stores its files and ends; then the guest, where it hangs. */
  #stop(): void {
    this.signal(SIGKILL);
    this.#after(GRACE_MS, () => {
      this.#silent = this.#waitStatus === undefined;
      this.#guest.kill();
    });
  }

  /** While one of the sinks is full nothing more is read, so that the guest waits too. */
  #write(sink: Writable, bytes: Uint8Array): void {
    if (this.#lost.has(sink) || sink.write(bytes) || this.#full.has(sink)) return;
    this.#full.add(sink);
    this.#guest.output.pause();
    sink.once("drain", () => this.#emptied(sink));
  }

  #emptied(sink: Writable): void {
    if (this.#full.delete(sink) && this.#full.size === 0) this.#guest.output.resume();
  }

  /** Nobody reads this output any more: the command gets the signal that it would have got from the pipe itself. */
  #lose(sink: Writable): void {
    this.#lost.add(sink);
    this.#emptied(sink);
    this.signal(SIGPIPE);
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

function signalName(number: number): string {
  const name = Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
  return name ?? `signal ${number}`;
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
