import { tryReadText } from "../../sys/files.ts";

/** Facts of the host that explain why a guest failed. */
export interface HostFacts {
  /** `/proc/sys/kernel/yama/ptrace_scope`; `undefined` without Yama. */
  readonly ptraceScope: number | undefined;
  /** `/proc/sys/vm/max_map_count`. */
  readonly maxMapCount: number | undefined;
}

/** Reads the facts of this host. */
export function hostFacts(): HostFacts {
  return {
    ptraceScope: readNumber("/proc/sys/kernel/yama/ptrace_scope"),
    maxMapCount: readNumber("/proc/sys/vm/max_map_count"),
  };
}

function readNumber(path: string): number | undefined {
  const text = tryReadText(path);
  return text === undefined ? undefined : Number(text);
}

const PTRACE_REFUSED = /Operation not permitted|EPERM|failed|errno = 1\b/;

/**
 * Why a guest ended without its command's exit status, from what its kernel wrote: one sentence that ends with what to change,
 * and the kernel's last lines where they say more.
 */
export function explainFailure(log: string, facts: HostFacts, killedBy?: string): string {
  const lines = kernelLines(log);
  // What follows a panic's message is its trace.
  const panicAt = lines.findIndex((line) => /Kernel panic - not syncing/.test(line));
  const last = lines.slice(0, panicAt < 0 ? lines.length : panicAt + 1).slice(-12).join("\n");
  if (lines.some((line) => /ptrace/i.test(line) && PTRACE_REFUSED.test(line))) {
    const change = facts.ptraceScope !== undefined && facts.ptraceScope > 1
      ? `kernel.yama.ptrace_scope is ${facts.ptraceScope}: run sysctl -w kernel.yama.ptrace_scope=1 as root`
      : "in a container, allow it with --cap-add=SYS_PTRACE --security-opt seccomp=unconfined";
    return `The host refuses ptrace, which the embedded kernel needs: ${change}\n${last}`;
  }
  const panic = /Kernel panic - not syncing: (.*)/.exec(log);
  if (panic !== null) {
    return `The guest's kernel panicked (${
      panic[1].trim()
    }): its last lines may name the cause\n${last}`;
  }
  if (/noexec/.test(log)) {
    return `The guest's memory is on a file system that forbids execution: set TMPDIR to another folder`;
  }
  const hint = mapLimitHint(log, facts);
  if (hint !== undefined) return `${hint}\n${last}`;
  if (killedBy !== undefined) {
    return `The guest was ended by ${killedBy} while it started: it was killed, or the host is out of memory or of space for the guest's memory`;
  }
  return last === ""
    ? "The guest ended without a message: it was killed, or the host is out of memory or of space for the guest's memory"
    : `The guest ended before its command did: its kernel's last lines may name the cause\n${last}`;
}

/**
 * What to change where processes of the guest died because the host allows no more mappings, as in kernels without
 * um_faults.patch; `undefined` where none did.
 */
export function mapLimitHint(log: string, facts: HostFacts): string | undefined {
  if (!/ran out of memory on the host side/.test(log)) return undefined;
  const now = facts.maxMapCount === undefined ? "" : `, now ${facts.maxMapCount}`;
  return `A process of the guest needed more memory mappings than the host allows (vm.max_map_count${now}): run sysctl -w vm.max_map_count=1048576 as root, or build the kernel with um_faults.patch`;
}

function kernelLines(log: string): string[] {
  return log.split("\n").map((line) => line.trimEnd())
    .filter((line) => line !== "" && !/^reboot: /.test(line));
}
