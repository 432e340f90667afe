import { errorCode, errorReason } from "../sys/file_error.ts";
import type { RunWriter } from "./run_writer.ts";

/** So many records are named. */
const NAMED = 3;

/** Records that could not be written, and why. */
export class LostRecords {
  readonly #names: string[] = [];
  #reason = "";

  get count(): number {
    return this.#names.length;
  }

  add(name: string, error: unknown): void {
    this.#names.push(name);
    this.#reason = errorReason(error);
  }

  /** Forgets them. */
  clear(): void {
    this.#names.length = 0;
  }

  /**
   * One line that says which records were lost, why, and what to do.
   *
   * @param directory Folder of the records.
   */
  text(directory: string): string {
    const { count } = this;
    const names = this.#names.slice(0, NAMED).map((name) => JSON.stringify(name)).join(", ");
    const more = count > NAMED ? ` and ${count - NAMED} more` : "";
    const what = count === 1 ? "The record" : `${count} records`;
    return `${what} of ${names}${more} could not be written to ${directory}: ${this.#reason}: ` +
      `${remedy(this.#reason)}, and run again`;
  }
}

/** Ends a writer's file, and gives one line for all that was lost of it; `undefined` where nothing was. */
export function endRecords(
  writer: Pick<RunWriter, "close"> | undefined,
  lost: LostRecords,
  directory: string,
): string | undefined {
  try {
    writer?.close({ lost: lost.count });
  } catch (error) {
    if (error instanceof TypeError && errorCode(error) === undefined) return error.message;
    // The file has no end, which readers see.
  }
  return lost.count === 0 ? undefined : lost.text(directory);
}

function remedy(reason: string): string {
  switch (reason) {
    case "ENOSPC":
    case "EDQUOT":
      return "free space on that disk";
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return "name a folder that you may write to";
    default:
      return "check that folder";
  }
}
