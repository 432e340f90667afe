import { fileSize, listFolder } from "../sys/files.ts";

// An output folder holds the reports and, in `run`, the records that they are of: one file per writer (a thread of a
// process), so that writers need no lock:
//   run/<invocation>.<random>.records

/** End of the names of record files. */
export const RECORDS_SUFFIX = ".records";

/** Where records go when nobody says where. */
export const DEFAULT_RUN_FOLDER = "coverage/kernel/run";

/** Names of a run folder's record files, in order. */
export function recordFiles(directory: string): string[] {
  return listFolder(directory).filter((name) => name.endsWith(RECORDS_SUFFIX)).sort();
}

/** Bytes of a run folder's record files: it grows with each record. */
export function runFolderSize(directory: string): number {
  let bytes = 0;
  for (const name of recordFiles(directory)) bytes += fileSize(`${directory}/${name}`);
  return bytes;
}
