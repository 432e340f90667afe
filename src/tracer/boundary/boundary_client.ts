import type { Address } from "../../base/address.ts";
import { SUPERVISOR_VARIABLE } from "../../kcov/recorder.ts";
import { check } from "../../sys/errno.ts";
import type { LibcPart } from "../../sys/types.ts";
import { currentArchitecture } from "../tasks/architecture.ts";
import {
  ANSWER,
  ANSWER_DONE,
  ANSWER_NONE,
  ANSWER_VALUE,
  BOUNDARY_MAGIC,
  type BoundaryMessage,
  HEADER_BYTES,
  type HelloMessage,
  MAILBOX_BYTES,
  PAYLOAD_LENGTH,
  PROTOCOL,
  REPLY_ADDRESS,
  REPLY_CAPACITY,
} from "./boundary_message.ts";
import { SIGURG } from "../tasks/constants.ts";

const SI_QUEUE = -1;
const PROT_READ_WRITE = 3;
const MAP_PRIVATE_ANONYMOUS = 0x22;
const CALIBRATION_ROUNDS = 16;
const MAX_PAYLOAD = MAILBOX_BYTES - HEADER_BYTES;

/** What a client calls. */
export type ClientLibc = LibcPart<"getpid" | "mmap">;

/** What the supervisor answered. */
export interface BoundaryAnswer {
  /** False where the message was refused. */
  readonly done: boolean;
  readonly value: number;
}

/** Speaks to the supervisor for one thread: every message is one system call of that thread. */
export class BoundaryClient {
  readonly #libc: ClientLibc;
  readonly #number: bigint;
  readonly #process: bigint;
  readonly #thread: bigint;
  readonly #mailbox: Uint32Array;
  readonly #bytes: Uint8Array;
  readonly #signalInfo: bigint;
  readonly #encoder = new TextEncoder();

  /**
   * The client of the calling thread; `null` where `environment` names no supervisor of this version.
   *
   * @param thread What is known of the calling thread.
   * @throws {SyscallError} Where there is no memory for the mailbox.
   */
  static connect(
    libc: ClientLibc,
    environment: (name: string) => string | undefined,
    thread: Omit<HelloMessage, "do"> = {},
  ): BoundaryClient | null {
    if (environment(SUPERVISOR_VARIABLE) !== PROTOCOL) return null;
    const client = new BoundaryClient(libc);
    const answer = client.send({ ...thread, do: "hello" });
    if (answer === null) return null;
    // Where each point is stored once, the kernel itself leaves out what messages make it run.
    const rounds = answer.value === 1 ? CALIBRATION_ROUNDS : 0;
    for (let round = 0; round < rounds; round++) client.send({ do: "calibrate" });
    return client;
  }

  private constructor(libc: ClientLibc) {
    this.#libc = libc;
    this.#number = currentArchitecture().systemCalls.rt_tgsigqueueinfo;
    this.#process = BigInt(libc.getpid());
    this.#thread = BigInt(libc.threadId());
    // Memory of its own: the supervisor and the kernel keep addresses while JavaScript may move arrays.
    const size = MAILBOX_BYTES + 4096;
    const address = check(
      libc,
      "mmap",
      libc.mmap(0n, BigInt(size), PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0n),
      "make a mailbox for the supervisor",
      "raise the memory limit",
    );
    const memory = libc.view(address, size);
    this.#mailbox = new Uint32Array(memory, 0, MAILBOX_BYTES / 4);
    this.#bytes = new Uint8Array(memory, HEADER_BYTES, MAX_PAYLOAD);
    this.#signalInfo = address + BigInt(MAILBOX_BYTES);
    // siginfo_t: si_signo, si_errno, si_code, then si_pid, si_uid and si_value (arch-independent on 64-bit Linux).
    const info = new DataView(memory, MAILBOX_BYTES);
    info.setInt32(0, SIGURG, true);
    info.setInt32(4, BOUNDARY_MAGIC, true);
    info.setInt32(8, SI_QUEUE, true);
    info.setBigUint64(24, address, true);
  }

  /** Sends a message; `null` where no supervisor took it, as when it was killed. */
  send(message: BoundaryMessage): BoundaryAnswer | null {
    let text = JSON.stringify(message);
    if (text.length * 3 > MAX_PAYLOAD && "name" in message) {
      text = JSON.stringify({ ...message, name: `${message.name.slice(0, 4000)}…` });
    }
    this.#mailbox[PAYLOAD_LENGTH] = this.#encoder.encodeInto(text, this.#bytes).written;
    return this.#signal();
  }

  /** The PCs of an open test so far, ascending; `null` where no supervisor answers. */
  read(test: number): Float64Array<ArrayBuffer> & ArrayLike<Address> | null {
    for (let capacity = 16_384;; capacity *= 4) {
      const pcs = new Float64Array(capacity);
      const address = this.#libc.addressOf(new Uint8Array(pcs.buffer));
      this.#mailbox[REPLY_ADDRESS] = Number(address & 0xffff_ffffn);
      this.#mailbox[REPLY_ADDRESS + 1] = Number(address >> 32n);
      this.#mailbox[REPLY_CAPACITY] = capacity;
      const answer = this.send({ do: "read", test });
      if (answer === null || !answer.done) return null;
      if (answer.value <= capacity) return pcs.slice(0, answer.value);
    }
  }

  #signal(): BoundaryAnswer | null {
    Atomics.store(this.#mailbox, ANSWER, ANSWER_NONE);
    // The signal is delivered to this very thread before the call returns to it.
    this.#libc.syscall(
      this.#number,
      this.#process,
      this.#thread,
      BigInt(SIGURG),
      this.#signalInfo,
      0n,
      0n,
    );
    const answer = Atomics.load(this.#mailbox, ANSWER);
    if (answer === ANSWER_NONE) return null;
    return { done: answer === ANSWER_DONE, value: Atomics.load(this.#mailbox, ANSWER_VALUE) };
  }
}
