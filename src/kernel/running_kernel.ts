import { buildIdOfNotes } from "../elf/build_id.ts";
import { readBytes } from "../sys/files.ts";
import { machineName, systemRelease } from "../sys/runtime.ts";
import type { RunKernel } from "../record/test_record.ts";

/** The kernel that this process runs on. */
export function runningKernel(): RunKernel {
  let buildId = "";
  try {
    buildId = buildIdOfNotes(readBytes("/sys/kernel/notes")) ?? "";
  } catch {
    // No sysfs, or not Linux: the kernel does not tell.
  }
  return { buildId, release: systemRelease(), machine: machineName() };
}
