import type { BegunTest, TestRecord } from "../../record/test_record.ts";
import { commonPoints } from "./common_points.ts";
import { OpenTest, type TestEnd, type TestStart } from "./open_test.ts";
import {
  type Claim,
  isShared,
  type OwnedTask,
  ownersOf,
  TestThread,
  TracedProcess,
} from "./ownership.ts";
import { PointTable } from "./point_table.ts";
import { TaskOrder } from "./task_order.ts";
import type { TalliedPoints } from "./point_tally.ts";
import type { TraceBuffer } from "./trace_buffer.ts";

/** A traced thread. */
export class TracedTask implements OwnedTask {
  /** Its id; that of its process once it has run `execve`. */
  id: number;
  readonly process: TracedProcess;
  testThread: TestThread | null = null;
  paused = false;
  /** Its open tests by the numbers that it gave them. */
  readonly tests = new Map<number, OpenTest>();
  /** Where its points arrive; `null` before it is enrolled and where that was refused. */
  buffer: TraceBuffer | null = null;
  /** Why it could not be enrolled. */
  refused: string | null = null;

  constructor(id: number, process: TracedProcess) {
    this.id = id;
    this.process = process;
  }

  get isRunner(): boolean {
    return this.process.mainThreadIsRunner && this.id === this.process.id;
  }
}

const UNFINISHED: TestEnd = { outcome: "unfinished", finished: false };

/** Whether points have counts, and where records go. */
export interface LedgerOptions {
  readonly hasHits: boolean;
  /** The one record of a whole command, where that is what is recorded. */
  readonly command: TestStart | null;
  /** Whether the record of the command has the order of its first task. */
  readonly ordered?: boolean;
  readonly onRecord: (record: TestRecord) => void;
  /** Called before a test runs, so that it is known even if its record is never written. */
  readonly onBegin?: (test: BegunTest) => void;
}

/** Knows all tasks and open tests, and gives what each task recorded to the tests that own it. */
export class CoverageLedger {
  readonly #options: LedgerOptions;
  readonly #table = new PointTable();
  readonly #tasks = new Map<number, TracedTask>();
  readonly #processes = new Map<number, TracedProcess>();
  readonly #outside: OpenTest;
  /** Of the command's first task, where that is kept. */
  readonly #order: TaskOrder | undefined;
  #first: TracedTask | undefined;
  readonly #finished: {
    readonly process: TracedProcess;
    readonly test: OpenTest;
    readonly end: TestEnd;
  }[] = [];
  /** What all empty tests of a process had in common so far. */
  readonly #baselines = new Map<TracedProcess, TestRecord>();

  constructor(options: LedgerOptions) {
    this.#options = options;
    const outside = {
      name: "(outside tests)",
      file: "",
      kind: "outside",
      parent: null,
      startedAt: 0,
    } as const;
    this.#outside = new OpenTest(options.command ?? outside, this.#table);
    if (options.ordered) this.#order = new TaskOrder(this.#table);
  }

  /** All tasks that live, as far as is known. */
  get tasks(): Iterable<TracedTask> {
    return this.#tasks.values();
  }

  task(id: number): TracedTask | undefined {
    return this.#tasks.get(id);
  }

  /** All processes that live, as far as is known. */
  get processes(): Iterable<TracedProcess> {
    return this.#processes.values();
  }

  process(id: number): TracedProcess | undefined {
    return this.#processes.get(id);
  }

  /** Adds a task; of a new process with `claim` where `processId` is not known. */
  addTask(id: number, processId: number, claim: Claim): TracedTask {
    let process = this.#processes.get(processId);
    if (process === undefined) {
      process = new TracedProcess(processId, claim);
      this.#processes.set(processId, process);
    }
    const task = new TracedTask(id, process);
    this.#first ??= task;
    process.tasks++;
    this.#tasks.set(id, task);
    return task;
  }

  /** Notes that a task runs unrecorded. */
  refuse(task: TracedTask, reason: string): void {
    task.refused = reason;
    for (const owner of this.#owners(task)) owner.countRefused(reason);
  }

  /**
   * Counts threads of a process, or below it, that run unrecorded and may be found several times: once for each test
   * that they may work for.
   *
   * @param found The reasons by the threads' ids.
   */
  countUnrecorded(process: TracedProcess, found: ReadonlyMap<number, string>): void {
    for (const owner of this.#owners({ process, testThread: null })) {
      for (const [id, reason] of found) owner.countFound(id, reason);
    }
  }

  /** A thread that ran `execve` goes on under the id of its process. */
  renameTask(task: TracedTask, id: number): void {
    this.#tasks.delete(task.id);
    task.id = id;
    this.#tasks.set(id, task);
  }

  /** Takes the last points of a task that ended, and its buffer from it. */
  endTask(task: TracedTask): TraceBuffer | null {
    this.drain(task);
    this.#resetSeen(task);
    this.#endUnfinished(task);
    this.#tasks.delete(task.id);
    const { process, testThread, buffer } = task;
    if (testThread !== null) process.testThreads.delete(testThread);
    if (--process.tasks === 0) this.#processes.delete(process.id);
    task.buffer = null;
    return buffer;
  }

  /** Notes that a task runs tests. */
  addTestThread(task: TracedTask): void {
    if (task.testThread !== null) return;
    this.split();
    task.testThread = new TestThread();
    task.process.testThreads.add(task.testThread);
  }

  /** Ends the tests that are open on a task and that nothing else will end. */
  giveUpTests(task: TracedTask): void {
    if (task.tests.size === 0) return;
    this.split();
    this.#endUnfinished(task);
    task.paused = false;
  }

  /** Begins a test on a task. */
  begin(task: TracedTask, number: number, start: Omit<TestStart, "parent">, parent?: number): void {
    this.addTestThread(task);
    this.split();
    // A runner that a test started: what its tests run, that test runs too.
    const [enclosing, ...others] = ownersOf({
      process: task.process,
      testThread: new TestThread(),
    });
    const within = parent === undefined ? undefined : task.tests.get(parent);
    const around = enclosing !== undefined && others.length === 0 ? enclosing : null;
    const { name, file, runner, kind } = start;
    const { hasHits } = this.#options;
    if (kind === "test") {
      this.#options.onBegin?.({
        name,
        file,
        scope: "tree",
        ...(runner === undefined ? {} : { runner }),
        kind,
        hasHits,
      });
    }
    const sent = task.testThread?.messages ?? 0;
    const test = new OpenTest({ ...start, parent: within ?? around }, this.#table, sent);
    task.tests.set(number, test);
    task.testThread?.tests.push(test);
    for (const other of this.#tasks.values()) {
      if (other.refused === null) continue;
      if (ownersOf(other).includes(test)) test.countRefused(other.refused);
    }
  }

  /**
   * Measures what a message makes a task run: it has sent two with nothing between. To be called several times, as the
   * least of all is the messages' own.
   */
  measureExchange(task: TracedTask): void {
    const { testThread, buffer } = task;
    if (testThread === null || buffer === null) return;
    const counts = new Map<number, number>();
    buffer.drain(this.#table, (points, length) => {
      for (const point of points.subarray(0, length)) {
        counts.set(point, (counts.get(point) ?? 0) + 1);
      }
    });
    const { exchange } = testThread;
    testThread.exchange = exchange === null ? counts : leastOf(exchange, counts);
  }

  /** Marks an open test of a task as sharing its points with something that cannot be told apart. */
  markShared(task: TracedTask, number: number): void {
    const test = task.tests.get(number);
    if (test !== undefined) test.shared = true;
  }

  /** Ends a test of a task; how many points it has, or `undefined` where there is no such test. */
  end(task: TracedTask, number: number, end: TestEnd): number | undefined {
    const endedMs = performance.now();
    this.split();
    return this.#end(task, number, end, endedMs);
  }

  /** What a paused task runs belongs to no test. */
  setPaused(task: TracedTask, paused: boolean): void {
    this.split();
    task.paused = paused;
  }

  /** What an open test of a task has so far. */
  read(task: TracedTask, number: number): TalliedPoints["pcs"] | undefined {
    const test = task.tests.get(number);
    if (test === undefined) return undefined;
    for (const other of this.#tasks.values()) this.drain(other);
    return test.tally.pcs();
  }

  /** Ends the trace of every task at this point, for a new one to begin. */
  split(): void {
    for (const task of this.#tasks.values()) {
      this.drain(task);
      this.#resetSeen(task);
    }
  }

  #resetSeen(task: TracedTask): void {
    if (task.buffer?.resetSeen() !== true) return;
    for (const owner of this.#owners(task)) owner.truncated = true;
  }

  /** Empties a task's buffer where it is a quarter full. */
  drainIfFilling(task: TracedTask): void {
    const { buffer } = task;
    if (buffer !== null && buffer.count * 4 > buffer.capacity) this.drain(task);
  }

  /** Writes the records of tests that have ended. Apart from their end, so that the test's thread need not wait. */
  flush(): void {
    if (this.#finished.length === 0) return;
    for (const { process, test, end } of this.#finished.splice(0)) {
      const record = test.record(end, this.#options.hasHits);
      test.tally.release();
      if (test.kind === "baseline") {
        const before = this.#baselines.get(process);
        this.#baselines.set(process, before === undefined ? record : commonPoints(before, record));
      } else {
        this.#writeBaseline(process);
        this.#options.onRecord(record);
      }
    }
  }

  /** Writes what the empty tests of a process have in common: some of them, not all, collect garbage and the like. */
  #writeBaseline(process: TracedProcess): void {
    const record = this.#baselines.get(process);
    if (record === undefined) return;
    this.#baselines.delete(process);
    this.#options.onRecord(record);
  }

  /** Ends all tests, and the record of the command or of what ran outside tests. */
  close(end: Omit<TestEnd, "finished">): void {
    this.split();
    for (const task of [...this.#tasks.values()]) this.endTask(task);
    this.flush();
    for (const process of [...this.#baselines.keys()]) this.#writeBaseline(process);
    if (this.#outside.tally.size === 0) return;
    const record = this.#outside.record({ ...end, finished: true }, this.#options.hasHits);
    const order = this.#order?.order(record.pcs);
    this.#options.onRecord(order === undefined ? record : { ...record, order });
  }

  #endUnfinished(task: TracedTask): void {
    for (const test of [...task.tests.keys()]) this.#end(task, test, UNFINISHED);
  }

  #end(
    task: TracedTask,
    number: number,
    end: TestEnd,
    endedMs = performance.now(),
  ): number | undefined {
    const test = task.tests.get(number);
    if (test === undefined) return undefined;
    test.close(endedMs);
    const thread = task.testThread;
    // Of a full buffer it is not known what it lacks.
    if (thread?.exchange != null && !test.truncated) {
      test.tally.subtract(thread.exchange, thread.messages - test.messagesBefore);
    }
    task.tests.delete(number);
    const open = task.testThread?.tests;
    open?.splice(open.indexOf(test), 1);
    this.#finished.push({ process: task.process, test, end });
    return test.tally.size;
  }

  /** Hands what a task recorded to the tests that own it. */
  drain(task: TracedTask): void {
    const { buffer } = task;
    if (buffer === null || buffer.count === 0) return;
    const owners = this.#owners(task);
    const shared = isShared(owners);
    const order = task === this.#first ? this.#order : undefined;
    const full = buffer.drain(this.#table, (points, length) => {
      order?.add(points, length);
      for (const owner of owners) owner.tally.add(points, length);
    });
    if (full) order?.markFull();
    for (const owner of owners) {
      owner.countTask(task);
      owner.shared ||= shared;
      owner.truncated ||= full;
    }
  }

  #owners(task: OwnedTask): readonly OpenTest[] {
    const owners = ownersOf(task);
    if (owners.length === 0) return [this.#outside];
    // The record of a command holds all that ran in it, its tests included.
    return this.#options.command === null ? owners : [this.#outside, ...owners];
  }
}

function leastOf(
  a: ReadonlyMap<number, number>,
  b: ReadonlyMap<number, number>,
): Map<number, number> {
  const least = new Map<number, number>();
  for (const [point, count] of a) {
    const other = b.get(point);
    if (other !== undefined) least.set(point, Math.min(count, other));
  }
  return least;
}
