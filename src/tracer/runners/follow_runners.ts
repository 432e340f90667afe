import { SyscallError } from "../../errors.ts";
import type { Libc } from "../../sys/types.ts";
import * as linux from "../tasks/constants.ts";
import { isStopped, stopEvent, stopSignal } from "../tasks/wait_status.ts";
import { programNames } from "../tasks/program_names.ts";
import type { Ptrace } from "../tasks/ptrace.ts";
import type { RunnerPreloader } from "./runner_preloader.ts";

const OPTIONS = linux.PTRACE_O_TRACEFORK | linux.PTRACE_O_TRACEVFORK | linux.PTRACE_O_TRACECLONE |
  linux.PTRACE_O_TRACEEXEC;

/**
 * Follows a command, a stopped child of this process, to the test runners that it starts: each gets its preload and is
 * detached. Where the command cannot be traced it runs all the same, and a runner that another program starts is not found.
 *
 * @param noFollow Names of programs that are detached when they start.
 * @param onRefused Told why it cannot be traced.
 * @returns The command's wait status.
 */
export function followToRunners(
  libc: Libc,
  ptrace: Ptrace,
  preloader: RunnerPreloader,
  root: number,
  noFollow: readonly string[],
  onRefused: (why: SyscallError) => void,
): number {
  function isLetGo(tid: number): boolean {
    return programNames(tid).some((name) => noFollow.includes(name)) ||
      preloader.began(tid) === "covered";
  }
  try {
    ptrace.seize(root, OPTIONS);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    onRefused(error);
  }
  libc.kill(root, linux.SIGCONT);
  for (;;) {
    const tid = ptrace.wait(-1);
    if (tid === -linux.EINTR) continue;
    if (tid < 0) return 0; // ECHILD: cannot be before the root's end
    const { status } = ptrace;
    if (!isStopped(status)) {
      if (tid === root) return status;
      continue;
    }
    const signal = stopSignal(status);
    const event = stopEvent(status);
    if (event === linux.PTRACE_EVENT_EXEC && isLetGo(tid)) ptrace.detach(tid);
    else if (event === linux.PTRACE_EVENT_STOP && signal !== linux.SIGTRAP) ptrace.listen(tid);
    else ptrace.continue(tid, event === 0 ? signal : 0);
  }
}
