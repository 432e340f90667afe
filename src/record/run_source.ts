import { createFile, removeFile } from "../sys/files.ts";
import { readWholeFile } from "../sys/open_file.ts";
import type { RunSource } from "./test_record.ts";

// The source that a run's kernel was built from, by the kernel's build id: records know that id alone, and the kernel may be
// gone when they are read.
const NOTE = "source";

/** Notes what the kernel of a run's records is built from. A folder that cannot be written to gets no records either. */
export function noteSource(directory: string, buildId: string, source: RunSource): void {
  const path = `${directory}/${NOTE}`;
  try {
    removeFile(path);
  } catch {
    // There was none.
  }
  try {
    const file = createFile(path);
    try {
      file.write(new TextEncoder().encode(`${JSON.stringify({ buildId, source })}\n`));
    } finally {
      file.close();
    }
  } catch {
    // The run is reported without it.
  }
}

/** What a kernel of a run's records was built from, as it was noted; `undefined` where that is not known. */
export function notedSource(directory: string, buildId: string): RunSource | undefined {
  try {
    const text = new TextDecoder().decode(readWholeFile(`${directory}/${NOTE}`));
    const note = JSON.parse(text) as { buildId?: unknown; source?: Partial<RunSource> };
    const { path, version, git } = note.source ?? {};
    if (note.buildId !== buildId || typeof path !== "string" || typeof version !== "string") {
      return undefined;
    }
    return { path, version, ...isGit(git) ? { git } : {} };
  } catch {
    return undefined; // Nothing was noted, or tests have put something else there.
  }
}

function isGit(git: unknown): git is NonNullable<RunSource["git"]> {
  if (typeof git !== "object" || git === null) return false;
  const { commit, branch, dirty } = git as Record<string, unknown>;
  return typeof commit === "string" && typeof dirty === "boolean" &&
    (branch === undefined || typeof branch === "string");
}
