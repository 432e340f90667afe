import { awaitLate } from "../kcov/await_late.ts";
import { Collector } from "../kcov/collector.ts";
import { ComparisonTally } from "../kcov/comparisons/comparison_tally.ts";
import { OriginTally } from "../kcov/origin_tally.ts";
import type { TestRecord } from "../record/test_record.ts";
import { check } from "../sys/errno.ts";
import type { Libc } from "../sys/types.ts";
import type { SuperviseOptions } from "./supervise_options.ts";
import { EINTR, SIGCONT } from "./tasks/constants.ts";

/** 4 MiB: more than half a million entries. */
const DEFAULT_WORDS = 524_288;
/** Holds what a command's shell runs before the command begins, which is not looked at. */
const FIRST_WORDS = 4096;

/** What a command ran, and how it ended. */
export interface CollectedCommand
  extends
    Pick<TestRecord, "pcs" | "origins" | "comparisons" | "truncated" | "durationMs" | "tree"> {
  /** As `waitpid` has it. */
  readonly status: number;
}

/**
 * Has a command collected by a collector, with all that it starts and what the kernel puts off for them, until it ends.
 *
 * @param options size of the collector's area, and what it collects
 * @param start starts the command as a child that is stopped
 * @throws {SyscallError} The kernel has no collectors, or no memory for one.
 */
export function collectCommand(
  libc: Libc,
  { words = DEFAULT_WORDS, compare = false }: Pick<SuperviseOptions, "words" | "compare">,
  start: () => number,
): CollectedCommand {
  using collector = Collector.open(libc, { words, compares: compare });
  const first = Collector.open(libc, { words: FIRST_WORDS });
  let root: number;
  try {
    // The child is made by this thread, which then leaves it alone.
    first.paused = true;
    first.collect("thread");
    root = start();
    first.leave();
    collector.takeFrom(first);
  } finally {
    first.close();
  }
  const startedAt = performance.now();
  libc.kill(root, SIGCONT);
  const status = awaitEnd(libc, root);
  const durationMs = performance.now() - startedAt;
  // What outlives the command is not of it.
  collector.stop();
  awaitLate(libc, [collector]);
  const { pending, dropped, tasks, lost } = collector;
  return {
    status,
    durationMs,
    ...takeFrom(collector),
    truncated: lost > 0,
    tree: {
      // The command's own process was made in the name of the first.
      tasks: tasks + 1,
      refused: [],
      finished: true,
      ...(pending === 0 ? {} : { pending }),
      ...(dropped === 0 ? {} : { dropped }),
    },
  };
}

/** What a collector has collected: points, or comparisons. */
function takeFrom(collector: Collector): Pick<TestRecord, "pcs" | "origins" | "comparisons"> {
  if (!collector.compares) {
    const tally = new OriginTally();
    collector.addTo(tally);
    return tally.take();
  }
  const tally = new ComparisonTally();
  collector.addTo(tally);
  return { pcs: new Float64Array(0), comparisons: tally.take() };
}

function awaitEnd(libc: Libc, child: number): number {
  const status = new Int32Array(1);
  for (;;) {
    const ended = libc.waitpid(child, new Uint8Array(status.buffer), 0);
    if (ended === child) return status[0];
    if (libc.errno() !== EINTR) {
      check(libc, "waitpid", ended, "wait for the command", "report this as a defect");
    }
  }
}
