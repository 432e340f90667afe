import { closeSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import process from "node:process";
import { readProcessStat } from "../sys/process_stat.ts";

/** Start time of a process, which with its number names it for good. */
function startTime(pid: number): string | undefined {
  return readProcessStat(pid)?.field(22);
}

function tryLock(path: string): boolean {
  try {
    const fd = openSync(path, "wx");
    writeSync(fd, `${process.pid} ${startTime(process.pid)}\n`);
    closeSync(fd);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** The process that holds the lock file; `undefined` where there is none, or it ended without giving it back. */
export function lockHolder(path: string): number | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
  const [pid, started] = text.trim().split(" ");
  if (started === undefined) return undefined;
  return startTime(Number(pid)) === started ? Number(pid) : undefined;
}

/**
 * Runs `body` while this process holds the lock file. Where another process holds it, `onWait` is told its number
 * once, and the lock is waited for; a lock whose process is gone is taken over.
 */
export async function withLock<T>(
  path: string,
  onWait: (pid: number) => void,
  body: () => Promise<T>,
): Promise<T> {
  let told = false;
  let orphaned = 0;
  while (!tryLock(path)) {
    const pid = lockHolder(path);
    if (pid !== undefined) {
      orphaned = 0;
      if (!told) onWait(pid);
      told = true;
    } else if (++orphaned > 2) {
      // Seen without a holder three times: not merely being written.
      rmSync(path, { force: true });
      orphaned = 0;
      continue;
    }
    await setTimeout(orphaned > 0 ? 50 : 300);
  }
  try {
    return await body();
  } finally {
    rmSync(path, { force: true });
  }
}
