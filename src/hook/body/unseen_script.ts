import { runInThisContext } from "node:vm";
import { runtimeName } from "../../sys/runtime.ts";

/**
 * Runners leave frames of scripts of such a name out of their reports, as those of the runtime itself: a failing test's
 * stack is what it is without coverage.
 */
const FILENAME = runtimeName() === "bun" ? "bun:wrap" : "ext:kernelcov/hook.js";

/**
 * The function that a script is, given what it needs.
 *
 * @param source An expression: a function.
 */
export function unseenScript(source: string): (...needs: unknown[]) => unknown {
  return runInThisContext(source, { filename: FILENAME });
}
