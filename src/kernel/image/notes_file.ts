import { buildIdOfNotes } from "../../elf/build_id.ts";
import { readBytes } from "../../sys/files.ts";

/** The build id in a file of ELF notes; empty where there is none, or no such file. */
export function buildIdInFile(path: string): string {
  try {
    return buildIdOfNotes(readBytes(path)) ?? "";
  } catch {
    return "";
  }
}

/** The build id of the running kernel; empty where it does not tell. */
export function runningBuildId(): string {
  return buildIdInFile("/sys/kernel/notes");
}
