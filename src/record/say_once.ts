import { formatInvocation, isAlive, parseInvocation, thisInvocation } from "./invocation.ts";
import { createFile, listFolder, removeFile } from "../sys/files.ts";
import { nodeBuiltin } from "../sys/node_builtins.ts";
import { userId } from "../sys/runtime.ts";

const STANDARD_ERROR = 2;

/** Prints a line on standard error, past the test runner's own capture. */
export function say(line: string): void {
  try {
    nodeBuiltin("node:fs").writeSync(STANDARD_ERROR, `kernelcov: ${line}\n`);
  } catch {
    // Standard error is closed or not permitted.
  }
}

/**
 * Prints a line once per invocation, though its files run in threads or processes of their own that share nothing: an
 * empty marker file that only one of them can make decides which prints.
 */
export function sayOncePerRun(line: string): void {
  if (makeMarker()) say(line);
}

function makeMarker(): boolean {
  const prefix = `kernelcov-said-${userId() ?? 0}-`;
  try {
    const folder = nodeBuiltin("node:os").tmpdir();
    removeOldMarkers(folder, prefix);
    createFile(`${folder}/${prefix}${formatInvocation(thisInvocation())}`, 0o600).close();
    return true;
  } catch (error) {
    // Where no marker can be made, saying it several times is better than not at all.
    return (error as { code?: string }).code !== "EEXIST";
  }
}

function removeOldMarkers(folder: string, prefix: string): void {
  for (const name of listFolder(folder)) {
    if (!name.startsWith(prefix)) continue;
    const invocation = parseInvocation(name.slice(prefix.length));
    if (invocation === undefined || isAlive(invocation)) continue;
    try {
      removeFile(`${folder}/${name}`);
    } catch {
      // Another process removed it first.
    }
  }
}
