import type { Readable } from "node:stream";
import { encodeFrame, INPUT_CHUNK, ToGuest } from "./guest_protocol.ts";

/**
 * Passes a stream on to the guest's command, a piece each time that the guest asks for one: a command that does not read
 * takes no more input than a pipe would hold, and signals never wait for input.
 */
export class GuestInput {
  readonly #source: Readable;
  readonly #send: (frame: Uint8Array) => void;
  readonly #onData = (bytes: Uint8Array | string): void => this.#take(bytes);
  readonly #onEnd = (): void => this.#end();
  #queue: Uint8Array[] = [];
  #wanted = false;
  #ended = false;
  #closed = false;

  constructor(source: Readable, send: (frame: Uint8Array) => void) {
    this.#source = source;
    this.#send = send;
  }

  /** The guest wants more input; the first time this starts the reading. */
  want(): void {
    if (this.#closed) return;
    if (!this.#wanted && this.#source.listenerCount("data") === 0) {
      this.#source.on("data", this.#onData);
      this.#source.on("end", this.#onEnd);
      // A terminal that is gone, or a descriptor that cannot be read, is the end of the input.
      this.#source.on("error", this.#onEnd);
    }
    this.#wanted = true;
    this.#pump();
  }

  /** Leaves the stream: what was not read stays in it. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#source.off("data", this.#onData);
    this.#source.off("end", this.#onEnd);
    this.#source.off("error", this.#onEnd);
    this.#source.pause();
    // An idle terminal or pipe must not keep this process.
    (this.#source as Readable & { unref?: () => void }).unref?.();
  }

  #take(data: Uint8Array | string): void {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    for (let at = 0; at < bytes.length; at += INPUT_CHUNK) {
      this.#queue.push(bytes.subarray(at, at + INPUT_CHUNK));
    }
    this.#pump();
  }

  #end(): void {
    this.#ended = true;
    this.#pump();
  }

  #pump(): void {
    if (this.#closed) return;
    if (!this.#wanted) {
      this.#source.pause();
      return;
    }
    const chunk = this.#queue.shift();
    if (chunk !== undefined) {
      this.#wanted = false;
      this.#send(encodeFrame(ToGuest.STDIN, chunk));
      if (this.#queue.length > 0) this.#source.pause();
    } else if (this.#ended) {
      this.#send(encodeFrame(ToGuest.STDIN, new Uint8Array(0)));
      this.close();
    } else {
      this.#source.resume();
    }
  }
}
