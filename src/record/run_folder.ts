import { fileSize, isLink, listFolder, makeFolder, pathExists } from "../sys/files.ts";

// An output folder holds the reports and, in `run`, the records that they are of: one file per writer (a thread of a
// process), so that writers need no lock:
//   run/<invocation>.<random>.records

/** End of the names of record files. */
export const RECORDS_SUFFIX = ".records";

/** Where records go by default. */
export const DEFAULT_RUN_FOLDER = "coverage/kernel/run";

/**
 * Makes a run folder where there is none. Tests in a guest may write to the folder around it: a link there would lead
 * records, and the next guest, elsewhere.
 *
 * @throws {TypeError} It is a symbolic link.
 * @throws {Error} The file system's own error.
 */
export function makeRunFolder(directory: string): void {
  if (isLink(directory)) {
    throw new TypeError(
      `${directory} is a symbolic link: remove it, or name the folder it leads to`,
    );
  }
  makeFolder(directory);
}

/** Names of a run folder's record files, in order. */
export function recordFiles(directory: string): string[] {
  return listFolder(directory).filter((name) => name.endsWith(RECORDS_SUFFIX)).sort();
}

/** Bytes of a run folder's record files: it grows with each record. */
export function runFolderSize(directory: string): number {
  let bytes = 0;
  for (const name of recordFiles(directory)) {
    // A link that leads nowhere holds no records.
    if (pathExists(`${directory}/${name}`)) bytes += fileSize(`${directory}/${name}`);
  }
  return bytes;
}
