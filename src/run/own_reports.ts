import { lstatSync, readdirSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { type OpenFile, openRegularFile } from "../sys/open_file.ts";

// Reports have names that other programs use too. What a file starts with tells whose it is: only our own are replaced
// and removed without being asked for.

const START_BYTES = 512;

/** What each report of a folder starts with. */
const STARTS: readonly (readonly [name: RegExp, start: RegExp])[] = [
  [/^tests\.json$/, /^\{(?:\}|\s+"\w+_[0-9a-f]{6}(?:_\d+)?": \{)/],
  [/^tests\.desc$/, /^TN: \w+_[0-9a-f]{6}(?:_\d+)?\n|^$/],
  [/^tests(?:-\d+)?\.info$/, /^TN:baseline\nSF:|^$/],
];

/** Whether the file `name` of a folder is there and was written by a report. */
function isOwnReport(directory: string, name: string): boolean {
  // All tracefiles start alike: it is ours where the names of its tests lie beside it.
  if (name === "lcov.info") return isOwnReport(directory, "tests.json");
  const start = STARTS.find(([pattern]) => pattern.test(name))?.[1];
  const text = start && startOf(join(directory, name), START_BYTES);
  return text !== undefined && start!.test(text);
}

/** Names of those files of a folder that a report would replace although no report wrote them. Links are replaced. */
export function foreignReports(directory: string): string[] {
  return ["lcov.info", "tests.json", "tests.desc", "tests.info"].filter((name) =>
    isThere(join(directory, name)) && !isOwnReport(directory, name)
  );
}

function isThere(path: string): boolean {
  try {
    return !lstatSync(path).isSymbolicLink();
  } catch {
    return false; // what cannot be read cannot be overwritten either
  }
}

/** Removes the files of each test that reports left in a folder, `kept` aside. */
export function removeTestReports(directory: string, kept: readonly string[]): void {
  for (const name of readdirSync(directory)) {
    if (!/^tests(?:-\d+)?\.(?:info|desc)$/.test(name) || kept.includes(name)) continue;
    if (isOwnReport(directory, name)) unlinkSync(join(directory, name));
  }
}

/** The first bytes of a regular file as text; `undefined` where there is none, or it cannot be read. */
export function startOf(path: string, bytes: number): string | undefined {
  let file: OpenFile;
  try {
    file = openRegularFile(path);
  } catch {
    return undefined;
  }
  try {
    const start = new Uint8Array(bytes);
    return new TextDecoder().decode(start.subarray(0, file.read(start, 0)));
  } finally {
    file.close();
  }
}
