import { listFolder, tryReadText } from "../sys/files.ts";
import type { Libc } from "../sys/types.ts";
import type { CoverageLedger, TracedTask } from "./ledger/coverage_ledger.ts";

/**
 * Tasks that were let go, as to another tracer. Nobody tells of what runs below them, so it has to be looked for, and what
 * comes and goes between two looks is not found.
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

  /** Counts a task that was let go, and looks below it from now on. */
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

function threadsOf(process: number): number[] {
  try {
    return listFolder(`/proc/${process}/task`).map(Number);
  } catch {
    return []; // It ended.
  }
}

/** Its children; none where the kernel has no `CONFIG_PROC_CHILDREN`. */
function childrenOf(process: number): number[] {
  return threadsOf(process).flatMap((tid) =>
    (tryReadText(`/proc/${process}/task/${tid}/children`) ?? "").split(" ").filter(Boolean)
      .map(Number)
  );
}
