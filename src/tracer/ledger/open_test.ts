import type { RecordKind, TestOutcome, TestRecord } from "../../record/test_record.ts";
import type { PointTable } from "./point_table.ts";
import { PointTally } from "./point_tally.ts";

/** What is known of a test when it begins. */
export interface TestStart {
  readonly name: string;
  readonly file: string;
  /** The runtime that runs it; absent of what no runner runs. */
  readonly runner?: string;
  readonly kind: RecordKind;
  /** The test that this one is a step of, or that its process runs for. */
  readonly parent: OpenTest | null;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
}

/** What is known of a test when it ends. */
export interface TestEnd {
  readonly outcome: TestOutcome;
  /** Wall time in milliseconds, where it is not that from the start to the end of the record. */
  readonly durationMs?: number;
  /** Whether the test itself reported its end, rather than its thread ending. */
  readonly finished: boolean;
}

/** A test that runs, and what was recorded for it so far. */
export class OpenTest {
  readonly name: string;
  readonly file: string;
  readonly runner: string | undefined;
  readonly kind: RecordKind;
  readonly parent: OpenTest | null;
  readonly tally: PointTally;
  readonly #begunMs: number = performance.now();
  #endedMs: number | null = null;
  truncated = false;
  shared = false;
  readonly #tasks = new Set<object>();
  readonly #refused = new Map<string, number>();
  readonly #found = new Set<number>();

  /** How many messages its thread had sent when it began. */
  readonly messagesBefore: number;

  constructor(start: TestStart, table: PointTable, messagesBefore = 0) {
    this.messagesBefore = messagesBefore;
    this.name = start.name;
    this.file = start.file;
    this.runner = start.runner;
    this.kind = start.kind;
    this.parent = start.parent;
    this.tally = new PointTally(table);
  }

  get open(): boolean {
    return this.#endedMs === null;
  }

  /** Closes it. */
  close(endedMs: number): void {
    this.#endedMs = endedMs;
  }

  /** Counts a task whose points are in the record. */
  countTask(task: object): void {
    this.#tasks.add(task);
  }

  /** Counts a task of the test that could not be recorded. */
  countRefused(reason: string): void {
    this.#refused.set(reason, (this.#refused.get(reason) ?? 0) + 1);
  }

  /** Counts a thread that is not recorded and may be found several times. */
  countFound(id: number, reason: string): void {
    if (this.#found.has(id)) return;
    this.#found.add(id);
    this.countRefused(reason);
  }

  /** The record of the test as it stands. */
  record(end: TestEnd, hasHits: boolean): TestRecord {
    const points = hasHits ? this.tally.points() : { pcs: this.tally.pcs(), hits: null };
    return {
      name: this.name,
      file: this.file,
      ...(this.runner === undefined ? {} : { runner: this.runner }),
      outcome: end.outcome,
      durationMs: end.durationMs ?? (this.#endedMs ?? performance.now()) - this.#begunMs,
      scope: "tree",
      ...points,
      truncated: this.truncated,
      shared: this.shared,
      callingThreadOnly: false,
      kind: this.kind,
      tree: {
        tasks: this.#tasks.size,
        refused: [...this.#refused].map(([reason, tasks]) => ({ reason, tasks })),
        finished: end.finished,
      },
    };
  }
}
