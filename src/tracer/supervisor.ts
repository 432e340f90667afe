import type { Libc } from "../sys/types.ts";
import { BoundaryServer } from "./boundary/boundary_server.ts";
import * as linux from "./tasks/constants.ts";
import { isStopped, stopEvent, stopSignal } from "./tasks/wait_status.ts";
import type { CoverageLedger, TracedTask } from "./ledger/coverage_ledger.ts";
import { claimFrom, ownersOf } from "./ledger/ownership.ts";
import { programNames } from "./tasks/program_names.ts";
import type { Ptrace } from "./tasks/ptrace.ts";
import { TaskEnroller } from "./tasks/task_enroller.ts";
import { TaskMemory } from "./tasks/task_memory.ts";
import { type TaskStatus, TaskStatusReader } from "./tasks/task_status.ts";
import type { TraceBufferPool } from "./ledger/trace_buffer_pool.ts";
import { UnfollowedTasks } from "./unfollowed_tasks.ts";

// Not PTRACE_O_EXITKILL: where the supervisor is killed, the command goes on without it.
const OPTIONS = linux.PTRACE_O_TRACESYSGOOD | linux.PTRACE_O_TRACEFORK | linux.PTRACE_O_TRACEVFORK |
  linux.PTRACE_O_TRACECLONE | linux.PTRACE_O_TRACEEXEC;

/**
 * Programs that trace others. A task can have one tracer: what they start is left to them. Where the kernel tells of each
 * program that wants to trace another, names do not matter.
 */
const TRACERS: ReadonlySet<string> = new Set([
  "strace",
  "ltrace",
  "gdb",
  "gdbserver",
  "lldb",
  "lldb-server",
  "rr",
]);

/** Time between two looks at buffers that fill. A stopped task waits as long. */
const WATCH_MS = 1;
/** Time between two looks at what runs below tasks that are not followed. */
const LOOK_MS = 5;
/** Where `siginfo_t` has its code, and the id of a child. */
const SIGINFO_CODE = 8;
const SIGINFO_PID = 16;
/** `CLD_EXITED`, `CLD_KILLED`, `CLD_DUMPED`. */
const CHILD_ENDED = [1, 2, 3];

/** What a supervisor works with. */
export interface SupervisorOptions {
  readonly libc: Libc;
  readonly ptrace: Ptrace;
  readonly pool: TraceBufferPool;
  readonly ledger: CoverageLedger;
  readonly memory?: TaskMemory;
  /** Told of the task that is about to begin a program, stopped, and whether it works for a test that is open. */
  readonly onExec?: (tid: number, inTest: boolean) => void;
  /** Names of programs that are detached when they start. */
  readonly noFollow?: readonly string[];
}

/** Follows a command and all that it starts, and keeps the ledger of what they run. */
export class Supervisor {
  readonly #libc: Libc;
  readonly #ptrace: Ptrace;
  readonly #pool: TraceBufferPool;
  readonly #ledger: CoverageLedger;
  readonly #memory: TaskMemory;
  readonly #enroller: TaskEnroller;
  readonly #status: TaskStatusReader;
  /** Creators of tasks that were announced but not yet seen. */
  readonly #creators = new Map<number, TracedTask>();
  /** Processes whose creator is still to be announced. */
  readonly #unclaimed = new Set<number>();
  readonly #unfollowed: UnfollowedTasks;
  /** Tasks whose creation was announced; processes until their parent gets `SIGCHLD`. */
  readonly #announced = new Set<number>();
  /** Tasks to detach at the return of their `execve`. */
  readonly #leaving = new Set<TracedTask>();
  /** Why tasks that were not seen yet will be detached when they are. */
  readonly #unfollowable = new Map<number, string>();
  #lookedAt = 0;
  readonly #server: BoundaryServer;
  readonly #options: SupervisorOptions;

  constructor(options: SupervisorOptions) {
    const { libc, ptrace, pool, ledger, memory = new TaskMemory(libc) } = options;
    this.#options = options;
    this.#libc = libc;
    this.#ptrace = ptrace;
    this.#pool = pool;
    this.#ledger = ledger;
    this.#memory = memory;
    this.#enroller = new TaskEnroller(libc, ptrace, this.#memory, pool);
    this.#status = new TaskStatusReader(libc);
    this.#unfollowed = new UnfollowedTasks(libc, ledger, (task) => this.#ended(task.id));
    this.#server = new BoundaryServer({
      libc,
      ptrace,
      memory,
      ledger,
      hasHits: pool.mode === "trace",
      unfollowed: this.#unfollowed,
    });
  }

  /**
   * Traces `root`, a stopped child of this process, until it ends, and returns its wait status. Tasks that outlive it
   * go on: the kernel detaches them when this process ends.
   *
   * @throws {SyscallError} Where it cannot be traced.
   */
  run(root: number): number {
    this.#ptrace.seize(root, OPTIONS);
    this.#ledger.addTask(root, root, null);
    this.#libc.kill(root, linux.SIGCONT);
    for (;;) {
      const tid = this.#nextEvent();
      if (tid === -linux.EINTR) continue;
      if (tid < 0) return 0; // ECHILD: cannot be before the root's end
      const { status } = this.#ptrace;
      if (isStopped(status)) {
        this.#stopped(tid, stopSignal(status), stopEvent(status));
      } else {
        this.#ended(tid);
        if (tid === root) return status;
      }
      this.#ledger.flush();
    }
  }

  /**
   * Waits for the next task that stops or ends. Buffers of all entries fill at any time, so they are emptied meanwhile;
   * those of distinct points need no watch. Tasks that are not followed do.
   */
  #nextEvent(): number {
    const isWatched = this.#pool.mode === "trace";
    while (isWatched || this.#unfollowed.size > 0) {
      const tid = this.#ptrace.wait(-1, linux.WNOHANG);
      if (tid !== 0) return tid;
      if (isWatched) { for (const task of this.#ledger.tasks) this.#ledger.drainIfFilling(task); }
      this.#lookBelowUnfollowed();
      this.#libc.poll(null, 0n, isWatched ? WATCH_MS : LOOK_MS);
    }
    return this.#ptrace.wait(-1);
  }

  #lookBelowUnfollowed(): void {
    const now = performance.now();
    if (this.#unfollowed.size === 0 || now - this.#lookedAt < LOOK_MS) return;
    this.#unfollowed.look();
    this.#lookedAt = now;
  }

  #stopped(tid: number, signal: number, event: number): void {
    let task = this.#ledger.task(tid);
    let status: TaskStatus | null = null;
    if (task === undefined) {
      status = this.#status.read(tid);
      if (status === null) {
        this.#ptrace.continue(tid);
        return;
      }
      task = this.#newTask(tid, status);
    }
    if (this.#unfollowed.has(task)) {
      // It stopped before it was detached.
      this.#ptrace.continue(tid, event === 0 ? signal : 0);
      return;
    }
    switch (event) {
      case linux.PTRACE_EVENT_STOP:
        if (signal !== linux.SIGTRAP) this.#ptrace.listen(tid);
        else if (task.buffer === null && task.refused === null) this.#enrol(task, status);
        else this.#ptrace.continue(tid);
        return;
      case linux.PTRACE_EVENT_FORK:
      case linux.PTRACE_EVENT_VFORK:
      case linux.PTRACE_EVENT_CLONE:
        this.#created(task, this.#ptrace.eventMessage(tid));
        break;
      case linux.PTRACE_EVENT_EXEC:
        this.#executed(task);
        if (this.#isLeftAlone(task)) {
          // To the return of its execve, where it can make system calls.
          this.#leaving.add(task);
          this.#ptrace.resume(linux.PTRACE_SYSCALL, task.id);
          return;
        }
        break;
      case linux.PTRACE_EVENT_YIELD:
        this.#yield(task, this.#ptrace.eventMessage(tid));
        break;
      case 0:
        if (signal === linux.SYSCALL_STOP) {
          this.#atSystemCall(task);
          return;
        }
        if (signal === linux.SIGURG && this.#server.takes(task)) break;
        if (signal === linux.SIGCHLD) this.#childEnded(task);
        this.#resume(task, signal);
        return;
    }
    this.#ledger.drainIfFilling(task);
    this.#resume(task);
  }

  /** Lets a task run on; one that needs a larger buffer to its next system call, at whose return it can get that. */
  #resume(task: TracedTask, signal = 0): void {
    const grows = task.buffer !== null && this.#pool.canGrow(task.buffer);
    this.#ptrace.resume(grows ? linux.PTRACE_SYSCALL : linux.PTRACE_CONT, task.id, signal);
  }

  /** A task whose buffer is too small, or that is to be detached, stands before or after a system call. */
  #atSystemCall(task: TracedTask): void {
    if (this.#leaving.delete(task)) {
      this.#leaveAlone(task);
      return;
    }
    const { buffer: before } = task;
    const isBehind = this.#ptrace.eventMessage(task.id) === linux.PTRACE_EVENTMSG_SYSCALL_EXIT;
    if (before === null || !isBehind) {
      this.#resume(task);
      return;
    }
    const status = this.#status.read(task.id);
    if (status === null) {
      this.#ptrace.continue(task.id);
      return;
    }
    this.#ledger.drain(task);
    before.crowded = false;
    const result = this.#enroller.enlarge(task.id, status, before);
    task.buffer = "buffer" in result ? result.buffer : null;
    if (task.buffer !== before) this.#pool.give(before);
    if (this.#enroller.endStatus !== null) {
      this.#ended(task.id);
      return;
    }
    if ("refused" in result) this.#ledger.refuse(task, result.refused);
    this.#enroller.release(task.id);
  }

  /** A task that reports for the first time, perhaps before its creator reports it. */
  #newTask(tid: number, status: TaskStatus): TracedTask {
    const task = this.#addTask(tid, status);
    const reason = this.#unfollowable.get(tid);
    this.#unfollowable.delete(tid);
    if (reason !== undefined) this.#unfollowed.add(task, reason);
    return task;
  }

  #addTask(tid: number, status: TaskStatus): TracedTask {
    const creator = this.#creators.get(tid);
    this.#creators.delete(tid);
    if (this.#ledger.process(status.tgid) !== undefined) {
      return this.#ledger.addTask(tid, status.tgid, null);
    }
    if (creator !== undefined) return this.#ledger.addTask(tid, status.tgid, claimFrom(creator));
    const parent = this.#ledger.process(status.parent);
    const claim = parent === undefined ? null : claimFrom({ process: parent, testThread: null });
    this.#unclaimed.add(status.tgid);
    return this.#ledger.addTask(tid, status.tgid, claim);
  }

  /**
   * A process gets `SIGCHLD`. A child that was not announced was made with `CLONE_UNTRACED`. A kernel that hides this tracer
   * ignores that flag, and does not report signals either.
   */
  #childEnded(task: TracedTask): void {
    const info = this.#ptrace.signalInfo(task.id);
    if (info === null || !CHILD_ENDED.includes(info.getInt32(SIGINFO_CODE, true))) return;
    const child = info.getInt32(SIGINFO_PID, true);
    if (this.#announced.delete(child)) return;
    const parent = this.#status.read(task.id);
    // Ids of a namespace of its own mean nothing here.
    if (parent === null || parent.ownNamespace) return;
    // The parent may have waited for it already.
    const name = this.#status.read(child)?.name ?? `child of ${parent.name}`;
    this.#ledger.countUnrecorded(task.process, new Map([[child, `${name}, not announced`]]));
  }

  #created(creator: TracedTask, tid: number): void {
    if (tid === 0) return;
    if (!this.#ptrace.yields) this.#announced.add(tid);
    const task = this.#ledger.task(tid);
    if (task === undefined) this.#creators.set(tid, creator);
    else if (this.#unclaimed.delete(task.process.id)) task.process.claim = claimFrom(creator);
  }

  #enrol(task: TracedTask, known: TaskStatus | null): void {
    const status = known ?? this.#status.read(task.id);
    if (status === null) {
      this.#ptrace.continue(task.id);
      return;
    }
    const result = this.#enroller.enrol(task.id, status);
    if ("buffer" in result) task.buffer = result.buffer;
    if (this.#enroller.endStatus !== null) {
      this.#ended(task.id);
      return;
    }
    if ("refused" in result) this.#ledger.refuse(task, result.refused);
    // A new process still has the name of the program that made it.
    if (!this.#ptrace.yields && TRACERS.has(status.name) && task.id === status.tgid) {
      // It stays enrolled, but what it starts is not followed.
      this.#ptrace.detach(task.id, this.#enroller.restore());
      this.#unfollowed.add(task, `followed by ${status.name}`);
    } else this.#enroller.release(task.id);
  }

  /**
   * `task` is about to have another tracer follow the task `id`, which may be itself, or to record itself: `id` is 0
   * then. When it goes on, the kernel takes that task from this tracer, or the buffer from the task.
   */
  #yield(task: TracedTask, id: number): void {
    if (id === 0) {
      this.#ledger.drain(task);
      this.#ledger.refuse(task, "records itself with KCOV");
      return;
    }
    const status = this.#status.read(task.id);
    // A task that asks to be traced asks its parent to do it.
    const tracer = id === task.id && status !== null ? this.#status.read(status.parent) : status;
    const reason = `followed by ${tracer?.name ?? "another"}`;
    const followed = this.#ledger.task(id);
    if (followed === undefined) this.#unfollowable.set(id, reason);
    else this.#unfollowed.add(followed, reason);
  }

  #executed(task: TracedTask): void {
    const { id } = task;
    this.#memory.forget(id);
    task.process.hasBaseline = false;
    task.process.mainThreadIsRunner = false;
    // A thread that runs execve takes the id of its process, whose other threads end.
    const former = task.process.tasks === 1
      ? undefined
      : this.#ledger.task(this.#ptrace.eventMessage(id));
    if (former !== undefined && former !== task) {
      this.#ended(id);
      this.#ledger.renameTask(former, id);
    }
    this.#options.onExec?.(id, ownersOf(this.#ledger.task(id) ?? task).length > 0);
  }

  #isLeftAlone(task: TracedTask): boolean {
    const { noFollow = [] } = this.#options;
    return noFollow.length > 0 && programNames(task.id).some((name) => noFollow.includes(name));
  }

  /** Detaches a program before it runs, unrecorded. */
  #leaveAlone(task: TracedTask): void {
    const { buffer } = task;
    const status = this.#status.read(task.id);
    this.#ledger.drain(task);
    let signal = 0;
    if (buffer !== null && status !== null) {
      const [free, held] = this.#enroller.withdraw(task.id, status, buffer);
      if (this.#enroller.endStatus !== null) {
        this.#ended(task.id);
        return;
      }
      signal = held;
      if (free) {
        task.buffer = null;
        this.#pool.give(buffer);
      }
    }
    this.#ptrace.detach(task.id, signal);
    this.#unfollowed.add(task, `not followed (${status?.name ?? "gone"})`);
  }

  /** A task ended: its buffer goes to the next. */
  #ended(tid: number): void {
    this.#creators.delete(tid);
    this.#memory.forget(tid);
    const task = this.#ledger.task(tid);
    if (task === undefined) return;
    const buffer = this.#ledger.endTask(task);
    if (buffer !== null) this.#pool.give(buffer);
    if (task.process.tasks === 0) this.#unclaimed.delete(task.process.id);
  }
}
