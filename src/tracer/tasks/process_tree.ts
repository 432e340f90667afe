import { listFolder, tryReadText } from "../../sys/files.ts";

/** Ids of a process's threads; none where it has ended. */
export function threadsOf(process: number, proc = "/proc"): number[] {
  try {
    return listFolder(`${proc}/${process}/task`).map(Number);
  } catch {
    return [];
  }
}

/** Ids of a process's children; none where it has ended, or the kernel has no `CONFIG_PROC_CHILDREN`. */
export function childrenOf(process: number): number[] {
  return threadsOf(process).flatMap((tid) =>
    (tryReadText(`/proc/${process}/task/${tid}/children`) ?? "").split(" ").filter(Boolean)
      .map(Number)
  );
}
