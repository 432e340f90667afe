import { cString } from "../../sys/native_strings.ts";
import { O_CLOEXEC } from "../../sys/system_calls.ts";
import type { Libc } from "../../sys/types.ts";
import type { SignalState } from "./system_call_injector.ts";

/** What the supervisor reads about a task from `/proc/<tid>/status`. */
export interface TaskStatus extends SignalState {
  /** `comm`, the task's short name. */
  readonly name: string;
  /** The process. */
  readonly tgid: number;
  /** The process that created this one. */
  readonly parent: number;
  /** The ids by which it is let to files. */
  readonly fileUser: number;
  readonly fileGroup: number;
  /** Seccomp mode: 0 none, 1 strict, 2 filter. */
  readonly seccomp: number;
  /** Whether it lives in a process namespace of its own, where the ids here mean nothing. */
  readonly ownNamespace: boolean;
}

/** Reads task status with one buffer and three system calls. */
export class TaskStatusReader {
  readonly #libc: Libc;
  readonly #buffer = new Uint8Array(4096);
  readonly #decoder = new TextDecoder("latin1");

  constructor(libc: Libc) {
    this.#libc = libc;
  }

  /** The status of `tid`, or `null` where it is gone. */
  read(tid: number): TaskStatus | null {
    const fd = this.#libc.open(cString(`/proc/${tid}/status`), O_CLOEXEC, 0);
    if (fd < 0) return null;
    const length = this.#libc.read(fd, this.#buffer, BigInt(this.#buffer.length));
    this.#libc.close(fd);
    if (length <= 0) return null;
    return parseTaskStatus(this.#decoder.decode(this.#buffer.subarray(0, length)));
  }
}

/** Parses the text of `/proc/<tid>/status` (`fs/proc/array.c`). Absent lines count as 0. */
export function parseTaskStatus(text: string): TaskStatus {
  function field(name: string): string {
    const start = text.indexOf(`\n${name}:\t`);
    if (start < 0) return "";
    const from = start + name.length + 3;
    return text.slice(from, text.indexOf("\n", from));
  }
  return {
    name: text.slice(6, text.indexOf("\n")),
    tgid: Number(field("Tgid")),
    parent: Number(field("PPid")),
    fileUser: Number(field("Uid").split("\t")[3] ?? 0),
    fileGroup: Number(field("Gid").split("\t")[3] ?? 0),
    seccomp: Number(field("Seccomp")),
    ownNamespace: field("NSpid").includes("\t"),
    blocked: BigInt(`0x${field("SigBlk") || "0"}`),
    ignored: BigInt(`0x${field("SigIgn") || "0"}`),
    caught: BigInt(`0x${field("SigCgt") || "0"}`),
  };
}
