import { cString } from "../../sys/native_strings.ts";
import { O_CLOEXEC, O_RDWR } from "../../sys/system_calls.ts";
import type { Libc } from "../../sys/types.ts";

/**
 * Reads and writes memory of traced tasks through `/proc/<tid>/mem`, which every kernel has (`process_vm_readv` is a
 * build option). The files of test threads stay open, so that a boundary costs one call each way.
 */
export class TaskMemory {
  readonly #libc: Libc;
  readonly #kept = new Map<number, number>();

  constructor(libc: Libc) {
    this.#libc = libc;
  }

  /** Reads at `address`: how many bytes, or -1. */
  read(tid: number, address: bigint, into: Uint8Array): number {
    return this.#with(
      tid,
      (fd) => this.#libc.pread(fd, into, BigInt(into.length), BigInt.asIntN(64, address)),
    );
  }

  /** Writes at `address`, read-only places too: how many bytes, or -1. */
  write(tid: number, address: bigint, from: Uint8Array): number {
    return this.#with(
      tid,
      (fd) => this.#libc.pwrite(fd, from, BigInt(from.length), BigInt.asIntN(64, address)),
    );
  }

  /** Keeps the task's file open until `forget`. */
  keep(tid: number): void {
    if (this.#kept.has(tid)) return;
    const fd = this.#open(tid);
    if (fd >= 0) this.#kept.set(tid, fd);
  }

  /** For a task that ended or runs another program: its file shows memory that is gone. */
  forget(tid: number): void {
    const fd = this.#kept.get(tid);
    if (fd === undefined) return;
    this.#kept.delete(tid);
    this.#libc.close(fd);
  }

  #with(tid: number, action: (fd: number) => number): number {
    const kept = this.#kept.get(tid);
    if (kept !== undefined) return action(kept);
    const fd = this.#open(tid);
    if (fd < 0) return -1;
    const result = action(fd);
    this.#libc.close(fd);
    return result;
  }

  #open(tid: number): number {
    return this.#libc.open(cString(`/proc/${tid}/mem`), O_RDWR | O_CLOEXEC, 0);
  }
}
