import type { TestOutcome } from "../../record/test_record.ts";

// How a test's thread speaks to the supervisor: it queues SIGURG to itself with `rt_tgsigqueueinfo`. The thread stops
// at the delivery, the supervisor reads the mailbox that the signal points to, answers in it and drops the signal.
// SIGURG is ignored by default: where no supervisor is left, nothing happens, and the mailbox stays unanswered.

/** `si_errno` of the signal: no kernel or program sets one on SIGURG. */
export const BOUNDARY_MAGIC = 0x6b63_6f76;
/** Version of the protocol: the value of the variable by which a process knows that it is supervised. */
export const PROTOCOL = "1";

/** Bytes that the supervisor reads at once: header and payload. */
export const MAILBOX_BYTES = 16_384;
/** The header, as 32-bit words. */
export const HEADER_BYTES = 64;
/** Length of the payload: JSON in UTF-8, behind the header. */
export const PAYLOAD_LENGTH = 0;
/** Address of a place for PCs, low and high half, and how many fit: for `read`. */
export const REPLY_ADDRESS = 2;
export const REPLY_CAPACITY = 4;
/** Written by the supervisor: one of the answers, and a number with it. */
export const ANSWER = 8;
export const ANSWER_VALUE = 9;
/** Byte offset of the answer. */
export const ANSWER_BYTES = 32;

/** Nobody answered. */
export const ANSWER_NONE = 0;
export const ANSWER_DONE = 1;
/** The message was not understood, or names a test that is not open. */
export const ANSWER_REFUSED = 2;

/** The calling thread runs tests. The answer's value is 1 where hit counts are recorded. */
export interface HelloMessage {
  readonly do: "hello";
  /**
   * No test has begun in the thread's global scope. Those that are open on the thread were begun in an earlier one, which
   * is gone: `deno test` runs one file after another on a thread, each in a scope of its own.
   */
  readonly first?: boolean;
  /**
   * The thread runs a script of its own. Where it is not its process's first, that one is the runner's: `deno test`
   * reports there, while each test file runs on another thread.
   */
  readonly script?: boolean;
}

/** A test begins on the calling thread. */
export interface BeginMessage {
  readonly do: "begin";
  /** Chosen by the thread, for its other messages. */
  readonly test: number;
  readonly name: string;
  readonly file: string;
  /** The runtime that runs the test. */
  readonly runner: string;
  readonly kind: "test" | "baseline";
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** The open test of this thread that it is a step of. */
  readonly parent?: number;
  /** The body of an earlier test of this thread still runs: what is recorded may be that test's. */
  readonly shared?: boolean;
}

/** A test of the calling thread ends. The answer's value is the number of distinct points. */
export interface EndMessage {
  readonly do: "end";
  readonly test: number;
  readonly outcome: TestOutcome;
}

/** Sent several times in a row with nothing between, to measure what messages make the calling thread run. */
export interface CalibrateMessage {
  readonly do: "calibrate";
}

/** Asks for the PCs of an open test so far. The answer's value is how many there are, which may be more than fit. */
export interface ReadMessage {
  readonly do: "read";
  readonly test: number;
}

/** What the calling thread runs until `resume` belongs to no test. */
export interface PauseMessage {
  readonly do: "pause" | "resume";
}

/** Asks to measure what empty tests run in the calling process. Refused where one of its threads was let to already. */
export interface BaselineMessage {
  readonly do: "baseline";
}

export type BoundaryMessage =
  | HelloMessage
  | CalibrateMessage
  | BaselineMessage
  | BeginMessage
  | EndMessage
  | ReadMessage
  | PauseMessage;

const decoder = new TextDecoder();

/** The message in a mailbox, or `null` where it holds none that is understood. */
export function decodeMessage(mailbox: Uint8Array): BoundaryMessage | null {
  const length = new DataView(mailbox.buffer, mailbox.byteOffset).getUint32(
    PAYLOAD_LENGTH * 4,
    true,
  );
  if (length > mailbox.length - HEADER_BYTES) return null;
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(mailbox.subarray(HEADER_BYTES, HEADER_BYTES + length)));
  } catch {
    return null;
  }
  return isMessage(value) ? value : null;
}

function isMessage(value: unknown): value is BoundaryMessage {
  if (typeof value !== "object" || value === null) return false;
  const fields = value as Record<string, unknown>;
  switch (fields.do) {
    case "hello":
    case "baseline":
    case "calibrate":
    case "pause":
    case "resume":
      return true;
    case "begin":
      return typeof fields.test === "number" && typeof fields.name === "string" &&
        typeof fields.file === "string" && typeof fields.runner === "string" &&
        typeof fields.startedAt === "number" &&
        (fields.kind === "test" || fields.kind === "baseline");
    case "end":
      return typeof fields.test === "number" &&
        (fields.outcome === "passed" || fields.outcome === "failed");
    case "read":
      return typeof fields.test === "number";
    default:
      return false;
  }
}
