import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import process from "node:process";
import type { Readable } from "node:stream";
import type { GuestLink } from "./guest_session.ts";

/** Bytes of the kernel's messages that are kept. */
const LOG_BYTES = 65_536;

/** A guest's processes, as they are started. */
export interface GuestStart {
  readonly program: string;
  readonly args: readonly string[];
  /** The guest's own folder, which is deleted at its end. */
  readonly folder: string;
  /** Gets the kernel's messages as they come. */
  readonly onMessages?: ((text: string) => void) | undefined;
}

/**
 * The processes of one running guest, whose standard input and output are its line. They are one process group, so that they
 * end together whatever happens.
 */
export class GuestChild implements GuestLink {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #folder: string;
  readonly #onMessages: ((text: string) => void) | undefined;
  #log = "";
  #running = true;
  #backlog = 0;

  readonly ended: Promise<string | undefined>;

  constructor({ program, args, folder, onMessages }: GuestStart) {
    this.#folder = folder;
    this.#onMessages = onMessages;
    const child = spawn(program, args, {
      cwd: folder,
      env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", HOME: folder, TMPDIR: folder },
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
    });
    this.#child = child;
    const decoder = new TextDecoder();
    child.stderr.on("data", (bytes: Uint8Array) => {
      this.takeErrors(decoder.decode(bytes, { stream: true }));
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

  get output(): Readable {
    return this.#child.stdout;
  }

  get log(): string {
    return this.#log;
  }

  get backlog(): number {
    return this.#backlog;
  }

  send(bytes: Uint8Array): void {
    if (!this.#running) return;
    // Not the stream's own count, which is always 0 in Bun.
    this.#backlog += bytes.length;
    this.#child.stdin.write(bytes, () => this.#backlog -= bytes.length);
  }

  kill(): void {
    const pid = this.#child.pid;
    if (pid === undefined) return;
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }

  /** Takes what the processes wrote to standard error: the kernel's messages, where it is a process itself. */
  protected takeErrors(text: string): void {
    this.takeMessages(text);
  }

  /** Takes messages of the kernel. */
  protected takeMessages(text: string): void {
    this.#log = (this.#log + text).slice(-LOG_BYTES);
    this.#onMessages?.(text);
  }

  /** Called once when all of the guest is gone, before its folder is. */
  protected atEnd(): void {}

  #finish(): void {
    if (!this.#running) return;
    this.#running = false;
    this.atEnd();
    // A kernel that crashed may have left processes of its address spaces behind.
    this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
