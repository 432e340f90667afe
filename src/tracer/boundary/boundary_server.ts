import type { Libc } from "../../sys/types.ts";
import {
  ANSWER_BYTES,
  ANSWER_DONE,
  ANSWER_REFUSED,
  BOUNDARY_MAGIC,
  type BoundaryMessage,
  decodeMessage,
  HEADER_BYTES,
  MAILBOX_BYTES,
  PAYLOAD_LENGTH,
  REPLY_ADDRESS,
  REPLY_CAPACITY,
} from "./boundary_message.ts";
import type { CoverageLedger, TracedTask } from "../ledger/coverage_ledger.ts";
import { KernelWorkers } from "../tasks/kernel_workers.ts";
import type { Ptrace } from "../tasks/ptrace.ts";
import type { TaskMemory } from "../tasks/task_memory.ts";
import type { UnfollowedTasks } from "../unfollowed_tasks.ts";

const FIRST_READ = 4096;

/** What a server of messages works with. */
export interface BoundaryServerOptions {
  readonly libc: Libc;
  readonly ptrace: Ptrace;
  readonly memory: TaskMemory;
  readonly ledger: CoverageLedger;
  /** Whether points have counts. */
  readonly hasHits: boolean;
  readonly unfollowed: UnfollowedTasks;
}

/** Answers the messages of threads that run tests: each has stopped at the signal that it sent to itself. */
export class BoundaryServer {
  readonly #ptrace: Ptrace;
  readonly #memory: TaskMemory;
  readonly #ledger: CoverageLedger;
  readonly #hasHits: boolean;
  readonly #unfollowed: UnfollowedTasks;
  readonly #workers: KernelWorkers;
  readonly #mailbox = new Uint8Array(MAILBOX_BYTES);
  readonly #answer = new Uint32Array(2);

  constructor({ libc, ptrace, memory, ledger, hasHits, unfollowed }: BoundaryServerOptions) {
    this.#ptrace = ptrace;
    this.#memory = memory;
    this.#ledger = ledger;
    this.#hasHits = hasHits;
    this.#unfollowed = unfollowed;
    this.#workers = new KernelWorkers(libc, ptrace.architecture.systemCalls.statx);
  }

  /** Acts on a message of a test's thread; false where the signal is not one. */
  takes(task: TracedTask): boolean {
    const info = this.#ptrace.signalInfo(task.id);
    if (info === null || info.getInt32(4, true) !== BOUNDARY_MAGIC) return false;
    const address = info.getBigUint64(24, true);
    if (this.#unfollowed.size > 0) this.#unfollowed.look();
    const answer = this.#act(task, this.#readMessage(task.id, address));
    this.#answer[0] = answer === null ? ANSWER_REFUSED : ANSWER_DONE;
    this.#answer[1] = answer ?? 0;
    const bytes = new Uint8Array(this.#answer.buffer);
    this.#memory.write(task.id, address + BigInt(ANSWER_BYTES), bytes);
    return true;
  }

  /** Counts the kernel's threads in all processes that live. They come and go unannounced, so now is the last chance. */
  #countWorkers(): void {
    for (const process of this.#ledger.processes) {
      const isKnown = (tid: number): boolean => this.#ledger.task(tid) !== undefined;
      const workers = this.#workers.find(process.id, isKnown, process.tasks);
      if (workers.size > 0) this.#ledger.countUnrecorded(process, workers);
    }
  }

  #readMessage(tid: number, address: bigint): BoundaryMessage | null {
    // Nearly every message lies in the first page.
    const first = this.#mailbox.subarray(0, FIRST_READ);
    if (this.#memory.read(tid, address, first) !== FIRST_READ) return null;
    const length = new DataView(this.#mailbox.buffer).getUint32(PAYLOAD_LENGTH * 4, true);
    if (length > FIRST_READ - HEADER_BYTES) {
      const read = this.#memory.read(tid, address, this.#mailbox);
      if (read !== MAILBOX_BYTES) return null;
    }
    return decodeMessage(this.#mailbox);
  }

  /** The answer's value, or `null` to refuse. */
  #act(task: TracedTask, message: BoundaryMessage | null): number | null {
    // What a paused thread runs belongs to no test: with it, one message is in two parts.
    if (task.testThread !== null && message?.do !== "resume") task.testThread.messages++;
    switch (message?.do) {
      case "hello":
        this.#memory.keep(task.id);
        this.#ledger.addTestThread(task);
        if (message.first === true) this.#ledger.giveUpTests(task);
        if (message.script === true && task.id !== task.process.id) {
          task.process.mainThreadIsRunner = true;
        }
        return this.#hasHits ? 1 : 0;
      case "calibrate":
        this.#ledger.measureExchange(task);
        return 0;
      case "baseline":
        if (task.process.hasBaseline) return null;
        task.process.hasBaseline = true;
        return 0;
      case "begin": {
        const { test, name, file, runner, kind, startedAt, parent, shared } = message;
        if (task.tests.has(test)) return null;
        this.#ledger.begin(task, test, { name, file, runner, kind, startedAt }, parent);
        if (shared === true) this.#ledger.markShared(task, test);
        return 0;
      }
      case "end": {
        const { test, outcome } = message;
        this.#countWorkers();
        return this.#ledger.end(task, test, { outcome, finished: true }) ?? null;
      }
      case "read":
        return this.#sendPoints(task, message.test);
      case "pause":
      case "resume":
        this.#ledger.setPaused(task, message.do === "pause");
        return 0;
      default:
        return null;
    }
  }

  /** Writes the PCs of an open test to the place that the mailbox names: how many there are. */
  #sendPoints(task: TracedTask, test: number): number | null {
    const pcs = this.#ledger.read(task, test);
    if (pcs === undefined) return null;
    const header = new Uint32Array(this.#mailbox.buffer, 0, HEADER_BYTES / 4);
    const capacity = header[REPLY_CAPACITY];
    const address = BigInt(header[REPLY_ADDRESS]) | BigInt(header[REPLY_ADDRESS + 1]) << 32n;
    if (pcs.length > 0 && pcs.length <= capacity) {
      this.#memory.write(task.id, address, new Uint8Array(pcs.buffer));
    }
    return pcs.length;
  }
}
