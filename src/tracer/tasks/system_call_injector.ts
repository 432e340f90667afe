import { setSystemCall } from "./architecture.ts";
import * as linux from "./constants.ts";
import { isStopped, stopEvent, stopSignal } from "./wait_status.ts";
import type { Ptrace } from "./ptrace.ts";
import type { TaskMemory } from "./task_memory.ts";

/** Every signal that can be blocked. */
const ALL_SIGNALS = 0xffff_ffff_ffff_ffffn;

/** What the injector must know of a task's signals, as `/proc/<tid>/status` shows them. */
export interface SignalState {
  readonly blocked: bigint;
  readonly ignored: bigint;
  readonly caught: bigint;
}

/**
 * Makes one stopped task run system calls, at a system call instruction that it has just returned from,
 * and puts everything back. Used for one task at a time: `begin`, `call` as often as needed, `finish`.
 */
export class SystemCallInjector {
  readonly #ptrace: Ptrace;
  readonly #saved: BigUint64Array;
  readonly #working: BigUint64Array;
  #tid = 0;
  #instruction = 0n;
  #signals: SignalState = { blocked: 0n, ignored: 0n, caught: 0n };
  #request = linux.PTRACE_SINGLESTEP;
  #maskChanged = false;
  #held: Uint8Array | null = null;
  #stopAgain = false;
  /** Takes the lent instruction back. */
  #replaced: (() => void) | null = null;
  /** Wait status of the task where it ended during a call; `null` while it lives. */
  endStatus: number | null = null;

  constructor(ptrace: Ptrace) {
    this.#ptrace = ptrace;
    this.#saved = new BigUint64Array(ptrace.architecture.registerWords);
    this.#working = new BigUint64Array(ptrace.architecture.registerWords);
  }

  /**
   * Takes hold of `tid`: `held`; `gone` where it was killed; `elsewhere` where it does not stand right after a system call.
   *
   * @param memory Where given, the instruction is lent to a task that stands elsewhere: one that shares its memory with
   * no other.
   */
  begin(tid: number, signals: SignalState, memory?: TaskMemory): "held" | "gone" | "elsewhere" {
    const { architecture } = this.#ptrace;
    this.endStatus = null;
    if (!this.#ptrace.getRegisters(tid, this.#saved)) return "gone";
    const { instruction, programCounter } = architecture;
    this.#instruction = this.#saved[programCounter] - BigInt(instruction.length);
    this.#replaced = null;
    if (
      !this.#ptrace.codeIs(tid, this.#instruction, instruction) &&
      !(memory !== undefined && this.#lend(tid, memory))
    ) {
      // It may have been killed since its registers were read.
      return this.#ptrace.getRegisters(tid, this.#working) ? "elsewhere" : "gone";
    }
    this.#tid = tid;
    this.#signals = signals;
    this.#maskChanged = false;
    this.#held = null;
    this.#stopAgain = false;
    // The kernel forces the SIGTRAP of a single step: where the task blocks or ignores it, the handler would be reset and
    // the signal unblocked (force_sig_info_to_task in kernel/signal.c). Two stops a call avoid that where it can matter.
    const trap = 1n << BigInt(linux.SIGTRAP - 1);
    if (this.#ptrace.yields) {
      // No stop of this tracer's holds a signal back there: a handler would start between the calls.
      const steps = architecture.marksSteps && (signals.ignored & trap) === 0n;
      this.#request = steps ? linux.PTRACE_SINGLESTEP : linux.PTRACE_SYSCALL;
      this.#ptrace.setSignalMask(tid, steps ? ALL_SIGNALS & ~trap : ALL_SIGNALS);
      this.#maskChanged = true;
    } else {
      const handled = ((signals.caught | signals.ignored) & trap) !== 0n;
      this.#request = handled ? linux.PTRACE_SYSCALL : linux.PTRACE_SINGLESTEP;
      if ((signals.blocked & trap) !== 0n) this.#maskChanged = true;
    }
    return "held";
  }

  /** Puts the instruction where the task stands. */
  #lend(tid: number, memory: TaskMemory): boolean {
    const { instruction, programCounter } = this.#ptrace.architecture;
    const address = this.#saved[programCounter];
    const before = new Uint8Array(instruction.length);
    if (memory.read(tid, address, before) !== before.length) return false;
    if (memory.write(tid, address, instruction) !== before.length) return false;
    this.#instruction = address;
    this.#replaced = () => void memory.write(tid, address, before);
    return true;
  }

  /** The stack pointer of the task. */
  get stackPointer(): bigint {
    return this.#saved[this.#ptrace.architecture.stackPointer];
  }

  /** Has the task make one system call: its result or minus an errno; minus ESRCH where it ended (`endStatus`). */
  call(number: bigint, ...values: bigint[]): number {
    const { architecture } = this.#ptrace;
    if (this.endStatus !== null) return -linux.ESRCH;
    this.#working.set(this.#saved);
    setSystemCall(architecture, this.#working, this.#instruction, number, values);
    if (!this.#ptrace.setRegisters(this.#tid, this.#working)) return this.#awaitEnd();
    if (architecture.restartNumber < 0) this.#ptrace.dropSystemCall(this.#tid);
    const stops = this.#request === linux.PTRACE_SYSCALL ? 2 : 1;
    for (let stop = 0; stop < stops; stop++) {
      if (!this.#runToStop()) return -linux.ESRCH;
    }
    if (!this.#ptrace.getRegisters(this.#tid, this.#working)) return this.#awaitEnd();
    return Number(BigInt.asIntN(64, this.#working[architecture.result]));
  }

  /** Puts the registers, the mask and held signals back, and lets the task run on. */
  finish(): void {
    if (this.endStatus !== null) return;
    const signal = this.restore();
    // A stop of the whole process began meanwhile: the next stop shows it, and is then listened to.
    if (this.#stopAgain) this.#ptrace.interrupt(this.#tid);
    this.#ptrace.continue(this.#tid, signal);
  }

  /** Puts the registers and the mask back. Returns the signal to pass when the task goes on, or 0. */
  restore(): number {
    const ptrace = this.#ptrace;
    ptrace.setRegisters(this.#tid, this.#saved);
    this.#replaced?.();
    if (this.#maskChanged) ptrace.setSignalMask(this.#tid, this.#signals.blocked);
    if (this.#held === null) return 0;
    // The last stop of a step is a signal's delivery, so another signal can take its place. Behind a system call stop
    // the kernel sends the signal again, without its sender's data.
    if (this.#request === linux.PTRACE_SINGLESTEP) ptrace.setSignalInfo(this.#tid, this.#held);
    return new DataView(this.#held.buffer).getInt32(0, true);
  }

  /** Runs the task to the stop that the request asked for, keeping signals that come between for later. */
  #runToStop(): boolean {
    const ptrace = this.#ptrace;
    for (;;) {
      if (!ptrace.resume(this.#request, this.#tid)) return this.#awaitEnd() === 0;
      const got = ptrace.wait(this.#tid);
      if (got !== this.#tid) continue;
      const status = ptrace.status;
      if (!isStopped(status)) {
        this.endStatus = status;
        return false;
      }
      const signal = stopSignal(status);
      if (stopEvent(status) === linux.PTRACE_EVENT_STOP) {
        this.#stopAgain ||= signal !== linux.SIGTRAP;
      } else if (signal === linux.SYSCALL_STOP || signal === linux.SIGTRAP) {
        return true;
      } else {
        this.#hold(signal);
      }
    }
  }

  /** Keeps one signal back and blocks all others until `finish`. */
  #hold(signal: number): void {
    const info = this.#ptrace.signalInfo(this.#tid);
    if (info === null) return;
    // SIGSTOP cannot be blocked: a stop request is repeated as one.
    if (signal === linux.SIGSTOP && this.#held !== null) return;
    this.#held = new Uint8Array(info.buffer.slice(0) as ArrayBuffer);
    this.#ptrace.setSignalMask(this.#tid, ALL_SIGNALS);
    this.#maskChanged = true;
  }

  #awaitEnd(): number {
    for (;;) {
      const got = this.#ptrace.wait(this.#tid);
      if (got !== this.#tid || !isStopped(this.#ptrace.status)) break;
      this.#ptrace.continue(this.#tid);
    }
    this.endStatus = this.#ptrace.status;
    return -linux.ESRCH;
  }
}
