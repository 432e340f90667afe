import { closeSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import {
  formatInvocation,
  isAlive,
  parseInvocation,
  processInvocation,
} from "../record/invocation.ts";

function tryLock(path: string): boolean {
  try {
    const fd = openSync(path, "wx");
    writeSync(fd, formatInvocation(processInvocation()));
    closeSync(fd);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** The process that holds the lock file; `undefined` where there is none, or it ended without releasing it. */
export function lockHolder(path: string): number | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
  const holder = parseInvocation(text);
  return holder !== undefined && isAlive(holder) ? holder.pid : undefined;
}

/**
 * Runs `body` while this process holds the lock file. While another process holds it, this one waits, and `onWait` is
 * given that process's number once; a lock whose process is gone is taken over.
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
      // Three looks found no holder: it is not just being written.
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
