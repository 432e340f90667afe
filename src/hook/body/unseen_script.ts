import { runInThisContext } from "node:vm";
import { runnerBehaviour } from "../runner_behaviour.ts";

/**
 * The function that a script is, given what it needs. Its frames are in no report of the runner: a failing test's stack
 * is what it is without coverage.
 *
 * @param source An expression: a function.
 */
export function unseenScript(source: string): (...needs: unknown[]) => unknown {
  return runInThisContext(source, { filename: runnerBehaviour.unseenScript });
}
