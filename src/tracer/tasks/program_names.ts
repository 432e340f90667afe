import { tryReadLink, tryReadText } from "../../sys/files.ts";

/** The names of the program that a task runs: its file's, and that of the script where it runs one. */
export function programNames(tid: number): string[] {
  const path = tryReadLink(`/proc/${tid}/exe`);
  const name = tryReadText(`/proc/${tid}/comm`)?.trimEnd();
  return [path?.slice(path.lastIndexOf("/") + 1), name].filter((found) => found !== undefined);
}
