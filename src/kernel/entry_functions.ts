import { formatAddress } from "../base/address.ts";
import type { CallEntries } from "../kcov/call_entries.ts";
import type { RunKernel } from "../record/test_record.ts";
import { cacheFolderPath } from "../sys/cache_folder.ts";
import { createFile, makeFolder, removeFile, renameFile, tryReadText } from "../sys/files.ts";
import { requireSource } from "../sys/node_builtins.ts";

/** Version of the files and of what `callEntries` finds; a reader takes no other. */
const VERSION = 4;

/** Where the entries of a kernel build are kept. */
export function callEntriesPath(buildId: string): string {
  return `${cacheFolderPath()}/entries/${buildId}.json`;
}

/**
 * The functions in which the running kernel is entered: as they were kept for its build, or from `/proc/kallsyms`, which
 * takes some tenths of a second, and is then kept. `undefined` where the kernel does not tell.
 */
export function runningCallEntries({ buildId, machine }: RunKernel): CallEntries | undefined {
  const kept = keptCallEntries(buildId);
  if (kept !== undefined) return kept;
  // Not an import: once they are kept, no process needs what finds them.
  const { listedCallEntries } = requireSource(import.meta.url, "kernel/listed_entries") as {
    readonly listedCallEntries: (machine: string) => CallEntries | undefined;
  };
  const entries = listedCallEntries(machine);
  if (entries !== undefined) keepCallEntries(buildId, entries);
  return entries;
}

/** The entries that were kept of a kernel build; `undefined` where there are none that can be believed. */
export function keptCallEntries(buildId: string): CallEntries | undefined {
  if (!/^[0-9a-f]+$/.test(buildId)) return undefined;
  const text = tryReadText(callEntriesPath(buildId));
  if (text === undefined) return undefined;
  try {
    const { version, start, end, origin } = JSON.parse(text);
    if (version !== VERSION) return undefined;
    const entries = {
      start: Float64Array.from(start as number[]),
      end: Float64Array.from(end as number[]),
      origin: Uint16Array.from(origin as number[]),
    };
    return areInOrder(entries) ? entries : undefined;
  } catch {
    return undefined; // Cut, or not ours.
  }
}

function areInOrder({ start, end, origin }: CallEntries): boolean {
  if (start.length === 0 || end.length !== start.length || origin.length !== start.length) {
    return false;
  }
  return start.every((first, at) => first < end[at] && (at === 0 || first >= end[at - 1]));
}

/** Keeps the entries of a kernel build, where the cache can be written to. */
export function keepCallEntries(buildId: string, entries: CallEntries): void {
  if (!/^[0-9a-f]+$/.test(buildId)) return;
  const path = callEntriesPath(buildId);
  const partial = `${path}.${formatAddress(Math.floor(Math.random() * 2 ** 32))}.partial`;
  const { start, end, origin } = entries;
  const text = JSON.stringify({
    version: VERSION,
    start: [...start],
    end: [...end],
    origin: [...origin],
  });
  try {
    makeFolder(path.slice(0, path.lastIndexOf("/")));
    const file = createFile(partial);
    try {
      file.write(new TextEncoder().encode(text));
    } finally {
      file.close();
    }
    renameFile(partial, path);
  } catch {
    // The next process reads the kernel's symbols again.
    ignore(() => removeFile(partial));
  }
}

function ignore(action: () => void): void {
  try {
    action();
  } catch {
    // Nothing is there.
  }
}
