import { tryReadText } from "./files.ts";

/** What `/proc/PID/stat` tells of a process or thread. */
export interface ProcessStat {
  /** The program's name, without the parentheses around it. */
  readonly name: string;
  /** A field by its number in proc_pid_stat(5), from 3, the state; empty where this kernel has none. */
  field(number: number): string;
}

/**
 * Reads `/proc/PID/stat`, or what another path has in that form.
 *
 * @returns `undefined` where the process is gone
 */
export function readProcessStat(process: number | string): ProcessStat | undefined {
  const text = tryReadText(typeof process === "number" ? `/proc/${process}/stat` : process);
  if (text === undefined) return undefined;
  // The name, the second field, may hold spaces and parentheses.
  const end = text.lastIndexOf(")");
  const fields = text.slice(end + 2).split(" ");
  return {
    name: text.slice(text.indexOf("(") + 1, end),
    field: (number) => fields[number - 3] ?? "",
  };
}
