import { tryReadText } from "../sys/files.ts";
import type { Libc } from "../sys/types.ts";
import type { CoverageLedger, TracedTask } from "./ledger/coverage_ledger.ts";
import { childrenOf, threadsOf } from "./tasks/process_tree.ts";

/**
 * Tasks that were detached, for another tracer for instance. What runs below them is not reported, so it is polled for, and
 * what starts and ends between two polls is missed.
 */
export class UnfollowedTasks {
  readonly #libc: Pick<Libc, "kill">;
  readonly #ledger: CoverageLedger;
  readonly #onEnd: (task: TracedTask) => void;
  readonly #reasons = new Map<TracedTask, string>();

  /** @param onEnd Told of each that has ended: its buffer is free. */
  constructor(
    libc: Pick<Libc, "kill">,
    ledger: CoverageLedger,
    onEnd: (task: TracedTask) => void,
  ) {
    this.#libc = libc;
    this.#ledger = ledger;
    this.#onEnd = onEnd;
  }

  /** How many live, as far as is known. */
  get size(): number {
    return this.#reasons.size;
  }

  has(task: TracedTask): boolean {
    return this.#reasons.has(task);
  }

  /** Counts a task that was detached, and looks below it from now on. */
  add(task: TracedTask, reason: string): void {
    if (this.#reasons.has(task)) return;
    this.#reasons.set(task, reason);
    this.#ledger.refuse(task, reason);
  }

  /** Counts what runs below those that live, and gives up those that have ended. */
  look(): void {
    for (const [task, reason] of this.#reasons) {
      if (this.#libc.kill(task.id, 0) === 0) {
        const found = new Map<number, string>();
        this.#findBelow(task.process.id, reason, found);
        if (found.size > 0) this.#ledger.countUnrecorded(task.process, found);
      } else {
        this.#reasons.delete(task);
        this.#onEnd(task);
      }
    }
  }

  #findBelow(process: number, reason: string, found: Map<number, string>): void {
    for (const child of childrenOf(process)) {
      if (found.has(child) || this.#ledger.process(child) !== undefined) continue;
      const name = tryReadText(`/proc/${child}/comm`)?.trimEnd();
      if (name === undefined) continue;
      for (const tid of threadsOf(child)) found.set(tid, `${name}, below one ${reason}`);
      this.#findBelow(child, reason, found);
    }
  }
}
