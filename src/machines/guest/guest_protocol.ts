import { FormatError } from "../../errors.ts";

/**
 * Frames between the host and process 1 of the guest (src/machines/guest/init.c, the other end): one byte of type, the
 * payload's length as four bytes, little-endian, the payload.
 */
export const FRAME_HEADER = 5;

/** Largest payload of a frame of standard input. */
export const INPUT_CHUNK = 65_536;

/** Largest payload of a frame from the guest. */
const OUTPUT_CHUNK = 65_536;

/** Types of the frames that the guest sends. */
export const FromGuest = {
  HELLO: 0x48,
  UNSEALED: 0x55,
  READY: 0x52,
  STDOUT: 0x31,
  STDERR: 0x32,
  WANT: 0x57,
  EXIT: 0x58,
  FAILED: 0x46,
} as const;

/** Types of the frames that the host sends. */
export const ToGuest = {
  START: 0x53,
  STDIN: 0x30,
  SIGNAL: 0x4b,
  WINDOW: 0x5a,
} as const;

/** One frame as received. */
export interface Frame {
  readonly type: number;
  readonly payload: Uint8Array;
}

/** Rows and columns of a terminal. */
export interface WindowSize {
  readonly rows: number;
  readonly columns: number;
}

/** What the guest has to know to run one command. */
export interface GuestSettings {
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute paths of the host's folders that the guest may write to, outer ones first. */
  readonly write: readonly string[];
  readonly hostname: string;
  /** Whether the kernel is the user's own: one that cannot seal its mounts is used all the same. */
  readonly ownKernel: boolean;
  /** Whether standard input will be sent; otherwise the command reads from `/dev/null`. */
  readonly input: boolean;
  /** Run the command on a terminal of this size. */
  readonly terminal: WindowSize | undefined;
  /** Folder of the host with the kernel's modules, for a virtual machine. */
  readonly modules?: string | undefined;
}

/** A frame with its header. */
export function encodeFrame(type: number, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(FRAME_HEADER + payload.length);
  frame[0] = type;
  new DataView(frame.buffer).setUint32(1, payload.length, true);
  frame.set(payload, FRAME_HEADER);
  return frame;
}

/**
 * The frame that starts the command: settings, each a letter and a value, each ended by a NUL.
 *
 * @throws {TypeError} a value holds a NUL, which no argument, path or variable of a process can.
 */
export function encodeStart(settings: GuestSettings): Uint8Array {
  const parts: string[] = [];
  function add(letter: string, value: string): void {
    if (value.includes("\0")) {
      throw new TypeError(
        `The guest cannot be given ${JSON.stringify(value)}: remove the NUL character`,
      );
    }
    parts.push(letter, value, "\0");
  }
  add("C", settings.cwd);
  add("H", settings.hostname);
  if (settings.ownKernel) add("O", "");
  for (const argument of settings.command) add("A", argument);
  for (const [name, value] of Object.entries(settings.env)) {
    if (value !== undefined) add("E", `${name}=${value}`);
  }
  for (const folder of settings.write) add("W", folder);
  if (settings.modules !== undefined) add("M", settings.modules);
  if (settings.input) add("I", "");
  if (settings.terminal !== undefined) {
    add("T", `${settings.terminal.rows} ${settings.terminal.columns}`);
  }
  return encodeFrame(ToGuest.START, new TextEncoder().encode(parts.join("")));
}

/** The frame that tells the guest's terminal its size. */
export function encodeWindow({ rows, columns }: WindowSize): Uint8Array {
  return encodeFrame(
    ToGuest.WINDOW,
    Uint8Array.of(rows & 255, rows >> 8, columns & 255, columns >> 8),
  );
}

const FROM_GUEST: ReadonlySet<number> = new Set(Object.values(FromGuest));

/** Puts frames together from bytes as they arrive. The guest's root can write to the line too: nothing is trusted. */
export class FrameReader {
  readonly #bytes = new Uint8Array(FRAME_HEADER + OUTPUT_CHUNK);
  readonly #view = new DataView(this.#bytes.buffer);
  #used = 0;

  /**
   * Takes bytes and returns the frames that are complete now.
   *
   * @throws {FormatError} they are not a frame of the guest's.
   */
  push(chunk: Uint8Array): Frame[] {
    const frames: Frame[] = [];
    for (let at = 0; at < chunk.length;) {
      const wanted = (this.#used < FRAME_HEADER ? FRAME_HEADER : this.#frameSize()) - this.#used;
      const part = chunk.subarray(at, at + wanted);
      this.#bytes.set(part, this.#used);
      this.#used += part.length;
      at += part.length;
      if (this.#used < FRAME_HEADER || this.#used < this.#frameSize()) continue;
      frames.push({ type: this.#bytes[0], payload: this.#bytes.slice(FRAME_HEADER, this.#used) });
      this.#used = 0;
    }
    return frames;
  }

  #frameSize(): number {
    const type = this.#bytes[0];
    const size = this.#view.getUint32(1, true);
    const fits = type === FromGuest.EXIT ? size === 4 : size <= OUTPUT_CHUNK;
    if (!FROM_GUEST.has(type) || !fits) {
      throw new FormatError("frame", `the guest sent a frame of type ${type} and ${size} bytes`);
    }
    return FRAME_HEADER + size;
  }
}

/** A shell's exit status from a wait status: 128 and the signal's number where a signal ended the process. */
export function exitStatusFromWait(status: number): number {
  const signal = status & 0x7f;
  return signal === 0 ? (status >> 8) & 0xff : 128 + signal;
}
