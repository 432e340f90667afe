import { buildIdOfNotes } from "../elf/build_id.ts";
import { tryReadBytes } from "../sys/files.ts";
import { machineName, systemRelease } from "../sys/runtime.ts";
import type { RunKernel } from "./test_record.ts";

/** The kernel that this process runs on. */
export function runningKernel(): RunKernel {
  // Without sysfs the kernel does not tell.
  const notes = tryReadBytes("/sys/kernel/notes");
  const buildId = notes === undefined ? undefined : buildIdOfNotes(notes);
  return { buildId: buildId ?? "", release: systemRelease(), machine: machineName() };
}
