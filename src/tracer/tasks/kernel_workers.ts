import { cString } from "../../sys/native_strings.ts";
import { readProcessStat } from "../../sys/process_stat.ts";
import type { Libc } from "../../sys/types.ts";
import { threadsOf } from "./process_tree.ts";

/** What finding the workers needs of libc. */
export type WorkersLibc = Pick<Libc, "syscall" | "addressOf" | "poll">;

const STATX_NLINK = 4n;
/** Bytes of `struct statx`, and where the number of links stands in it (`include/uapi/linux/stat.h`). */
const STATX_BYTES = 256;
const NUMBER_OF_LINKS = 4;
/** Links of a folder under /proc, threads aside (`proc_task_getattr` in fs/proc/base.c). */
const OWN_LINKS = 2;

/** Flags of threads that the kernel makes in a process: `create_io_thread`, and others such as vhost's. */
const PF_IO_WORKER = 0x10;
const PF_USER_WORKER = 0x4000;
/** Where the flags stand in /proc/PID/stat. */
const STAT_FLAGS = 9;

/** Names that the kernel's threads for io_uring give themselves (`io_uring/io-wq.c`, `io_uring/sqpoll.c`). */
const WORKER_NAME = /^(iou-wrk|iou-sqp)-/;
/** A thread that was made but has not run yet has its maker's name; how often and how long to wait for its own. */
const NAME_LOOKS = 20;
const NAME_WAIT_MS = 1;

/**
 * Finds the threads that the kernel makes in a process, for io_uring and the like. They never are in user space, so nobody can have
 * them enable KCOV, and no tracer is told of them (`create_io_thread` in kernel/fork.c).
 */
export class KernelWorkers {
  readonly #libc: WorkersLibc;
  readonly #statx: bigint;
  readonly #folder: string;
  readonly #status = new Uint32Array(STATX_BYTES / 4);
  readonly #statusAddress: bigint;

  /**
   * @param statx Number of the system call.
   * @param folder The folder of proc(5).
   */
  constructor(libc: WorkersLibc, statx: bigint, folder = "/proc") {
    this.#libc = libc;
    this.#statx = statx;
    this.#folder = folder;
    this.#statusAddress = libc.addressOf(new Uint8Array(this.#status.buffer));
  }

  /**
   * The workers of a process that live now: their ids, and what each is (`io_uring worker iou-wrk`, `… iou-sqp`, or
   * `… unnamed` for one that does not get to run; `kernel worker NAME` of others). One system call where its threads are no more than those that are known.
   */
  find(process: number, isKnown: (tid: number) => boolean, known: number): Map<number, string> {
    const found = new Map<number, string>();
    const tasks = `${this.#folder}/${process}/task`;
    if (this.#links(tasks) - OWN_LINKS <= known) return found;
    for (const tid of threadsOf(process, this.#folder)) {
      if (isKnown(tid)) continue;
      const kind = this.#kind(`${tasks}/${tid}/stat`);
      if (kind !== null) found.set(tid, kind);
    }
    return found;
  }

  #kind(path: string): string | null {
    for (let looks = 1;; looks++) {
      const stat = readProcessStat(path);
      const flags = Number(stat?.field(STAT_FLAGS));
      if (stat === undefined || (flags & (PF_IO_WORKER | PF_USER_WORKER)) === 0) return null;
      const { name } = stat;
      if ((flags & PF_IO_WORKER) === 0) return `kernel worker ${name.replace(/-?\d+$/, "")}`;
      const kind = WORKER_NAME.exec(name)?.[1];
      if (kind !== undefined) return `io_uring worker ${kind}`;
      if (looks === NAME_LOOKS) return "io_uring worker unnamed";
      this.#libc.poll(null, 0n, NAME_WAIT_MS);
    }
  }

  #links(path: string): number {
    const name = cString(path);
    const address = this.#libc.addressOf(name);
    const result = this.#libc.syscall(
      this.#statx,
      0n, // no folder: the path is absolute
      address,
      0n,
      STATX_NLINK,
      this.#statusAddress,
      0n,
    );
    // Its bytes must be reachable until here.
    return result === 0n && name.length > 0 ? this.#status[NUMBER_OF_LINKS] : 0;
  }
}
