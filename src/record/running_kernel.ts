import { readFileSync } from "node:fs";
import { machine, release } from "node:os";
import { buildIdOfNotes } from "../elf/build_id.ts";
import type { RunKernel } from "./test_record.ts";

/** The kernel that this process runs on. */
export function runningKernel(): RunKernel {
  let buildId = "";
  try {
    buildId = buildIdOfNotes(readFileSync("/sys/kernel/notes")) ?? "";
  } catch {
    // No sysfs, or not Linux: the kernel does not tell.
  }
  return { buildId, release: release(), machine: machine() };
}
