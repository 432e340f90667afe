import { errorCode } from "../sys/file_error.ts";
import { removeFile, renameFile } from "../sys/files.ts";
import { isAlive, parseInvocation } from "./invocation.ts";
import { isSameKernel, runsByAge, supersededRecords } from "./read_run.ts";
import type { RecordFile } from "./record_file.ts";
import { makeRunFolder } from "./run_folder.ts";
import type { RunKernel } from "./test_record.ts";

/** How {@linkcode settleRun} is to treat earlier runs. */
export interface SettleOptions {
  /** Remove all that earlier runs recorded, instead of only what the newest recorded again. */
  readonly fresh?: boolean;
}

/** What {@linkcode settleRun} left. */
export interface SettledRun {
  /** The files that are left. */
  readonly files: readonly RecordFile[];
  /** Folders that files were moved to, as they cannot be reported with the newest run. */
  readonly movedTo: readonly string[];
}

/**
 * Tidies a folder in which a run has ended: removes the files of earlier runs of which each test was run again, and
 * moves those of another kernel, or that cannot be read, to a folder beside. Files of processes that still run stay.
 *
 * @throws {Error} The file system's own error.
 */
export function settleRun(
  directory: string,
  files: readonly RecordFile[],
  { fresh = false }: SettleOptions = {},
): SettledRun {
  const { runs, kernel } = runsByAge(files);
  if (kernel === undefined) return { files, movedTo: [] };
  const newest = new Set<RecordFile>(runs.at(-1));
  const superseded = supersededRecords(runs);
  const movedTo = new Set<string>();
  const left = files.filter((file) => {
    if (newest.has(file) || isWritten(file)) return true;
    if (fresh || isEmptyOf(file, superseded)) {
      ifThere(() => removeFile(`${directory}/${file.name}`));
      return false;
    }
    if (file.header !== undefined && isSameKernel(file.header.kernel, kernel)) return true;
    const folder = `${directory}-${label(file.header?.kernel)}`;
    makeRunFolder(folder);
    ifThere(() => renameFile(`${directory}/${file.name}`, `${folder}/${file.name}`));
    movedTo.add(folder);
    return false;
  });
  return { files: left, movedTo: [...movedTo] };
}

/** Whether its writer still runs. */
function isWritten({ name }: RecordFile): boolean {
  const invocation = parseInvocation(name.slice(0, name.indexOf(".")));
  return invocation !== undefined && isAlive(invocation);
}

function isEmptyOf({ header, records }: RecordFile, superseded: ReadonlySet<unknown>): boolean {
  return header !== undefined && records.every((record) => superseded.has(record));
}

function label(kernel: RunKernel | undefined): string {
  if (kernel === undefined) return "unreadable";
  const { buildId } = kernel;
  return /^[0-9a-f]+$/.test(buildId) ? buildId.slice(0, 12) : "unknown-kernel";
}

/** Another thread or process may tidy the same folder. */
function ifThere(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
  }
}
