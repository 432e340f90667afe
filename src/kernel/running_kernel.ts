import type { RunKernel } from "../record/test_record.ts";
import { machineName, systemRelease } from "../sys/runtime.ts";
import { runningBuildId } from "./image/notes_file.ts";

/** The kernel that this process runs on. */
export function runningKernel(): RunKernel {
  return { buildId: runningBuildId(), release: systemRelease(), machine: machineName() };
}
