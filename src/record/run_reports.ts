import { createFile, removeFile } from "../sys/files.ts";
import { readWholeFile } from "../sys/open_file.ts";

// Reports lie in the folder around the run's. Which of the files there are reports of its records is noted beside the
// records: reports must not outlive what they are of, and a file of the user's is not ours to remove.
const NOTE = "reports";

/**
 * Notes which files of the folder around the run's are reports of its records, in place of what was noted before. A
 * folder that cannot be written to gets no newer records either: there it is left out.
 *
 * @param names Of the files, without folders.
 */
export function noteReports(directory: string, names: readonly string[]): void {
  removeNote(directory);
  try {
    const file = createFile(`${directory}/${NOTE}`);
    try {
      file.write(new TextEncoder().encode(names.map((name) => `${name}\n`).join("")));
    } finally {
      file.close();
    }
  } catch {
    removeNote(directory);
  }
}

/** Names of the files around a run folder that were noted as reports of its records. */
export function notedReports(directory: string): string[] {
  let text: string;
  try {
    text = new TextDecoder().decode(readWholeFile(`${directory}/${NOTE}`));
  } catch {
    return []; // Nothing was noted, or tests have put something else there.
  }
  // Whoever writes to the folder must not name files elsewhere.
  return text.split("\n").filter((name) => /^[\w-]+(\.[\w-]+)+$/.test(name));
}

/** Removes the reports that were noted: records were added that they do not hold. */
export function removeReports(directory: string): void {
  for (const name of notedReports(directory)) remove(`${directory}/../${name}`);
  removeNote(directory);
}

function removeNote(directory: string): void {
  remove(`${directory}/${NOTE}`);
}

function remove(path: string): void {
  try {
    removeFile(path);
  } catch {
    // It is gone, or not this process's to remove: the next report is written over it.
  }
}
