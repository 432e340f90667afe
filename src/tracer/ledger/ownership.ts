import type { OpenTest } from "./open_test.ts";

/** A thread that runs tests: it has registered with the supervisor. */
export class TestThread {
  /** Tests that are open on it, in start order. */
  readonly tests: OpenTest[] = [];
  /** How many messages it sent. */
  messages = 0;
  /**
   * What a message makes the thread run from one stop to the next, where points have counts: how often each point, as
   * numbers of the run's table. `null` before that was measured.
   */
  exchange: ReadonlyMap<number, number> | null = null;
}

/**
 * Where a process looks for the tests that it may work for, when it runs none itself: the tests that were open on its
 * creator when it was created, or else those that its creator has open at any time.
 */
export type Claim =
  | { readonly tests: readonly OpenTest[] }
  | { readonly thread: TestThread }
  | { readonly process: TracedProcess }
  | null;

/** A process of the traced tree. */
export class TracedProcess {
  readonly id: number;
  /** Changed once more when its creator is known, if the process was seen first. */
  claim: Claim;
  /** Its threads that run tests. */
  readonly testThreads = new Set<TestThread>();
  /** Whether one of its threads measures what empty tests run, or has. */
  hasBaseline = false;
  /** Whether its first thread is a test runner's own, which works for no test. */
  mainThreadIsRunner = false;
  /** How many of its tasks are traced. */
  tasks = 0;

  constructor(id: number, claim: Claim) {
    this.id = id;
    this.claim = claim;
  }
}

/** What ownership must know of a task. */
export interface OwnedTask {
  readonly process: TracedProcess;
  /** Set once the task has run tests. */
  readonly testThread: TestThread | null;
  /** What it runs now belongs to no test. */
  readonly paused?: boolean;
  /** It is its process's first thread, and that is a test runner's own. */
  readonly isRunner?: boolean;
}

/**
 * The open tests that what a task runs now may belong to.
 *
 * A thread that runs tests works for its own. Any other thread of such a process may serve every test of the process:
 * runtimes share their pools; but not the runner's own, which reports a test while the next one runs. A process created
 * while tests were open on its creator works for those until they end,
 * and for none after that.
 */
export function ownersOf(task: OwnedTask): OpenTest[] {
  const owners = new Set<OpenTest>();
  if (task.paused === true) return [];
  if (task.testThread !== null) addOpen(owners, task.testThread.tests);
  else if (task.isRunner !== true) addProcess(owners, task.process);
  addClaim(owners, task.process.claim);
  return [...owners];
}

/** The claim of a process that `creator` creates now. */
export function claimFrom(creator: OwnedTask): Claim {
  const tests = ownersOf(creator);
  if (tests.length > 0) return { tests };
  if (creator.testThread !== null) return { thread: creator.testThread };
  return { process: creator.process };
}

/** A test that may be a step of another. */
export interface NestedTest {
  readonly parent: NestedTest | null;
}

/** Whether points of a task with these owners are in doubt: not where each owner contains the next. */
export function isShared(owners: readonly NestedTest[]): boolean {
  if (owners.length < 2) return false; // nearly always
  return owners.some((one, index) =>
    owners.slice(index + 1).some((other) => !isWithin(one, other) && !isWithin(other, one))
  );
}

function isWithin(inner: NestedTest, outer: NestedTest): boolean {
  for (let test: NestedTest | null = inner; test !== null; test = test.parent) {
    if (test === outer) return true;
  }
  return false;
}

function addOpen(owners: Set<OpenTest>, tests: readonly OpenTest[]): void {
  for (const test of tests) if (test.open) owners.add(test);
}

function addProcess(owners: Set<OpenTest>, process: TracedProcess): void {
  for (const thread of process.testThreads) addOpen(owners, thread.tests);
}

function addClaim(owners: Set<OpenTest>, claim: Claim): void {
  let next = claim;
  while (next !== null) {
    if ("tests" in next) return addOpen(owners, next.tests);
    if ("thread" in next) return addOpen(owners, next.thread.tests);
    addProcess(owners, next.process);
    next = next.process.claim;
  }
}
