import { isContext } from "../test_name.ts";

/**
 * Index of the callback among what a runner passed, which a body that has a parameter for it calls when it is done; -1
 * where it passed none. `node:test` passes one behind the context, `bun:test` a bound function of that name behind the
 * row of `each`, if any.
 *
 * @param parameters How many parameters the body has for what the runner passes.
 */
export function doneIndex(passed: readonly unknown[], parameters: number): number {
  const last = passed.length - 1;
  const callback = passed[last];
  if (typeof callback !== "function" || parameters !== passed.length) return -1;
  if (last === 1 && isContext(passed[0])) return last;
  return callback.name === "bound done" ? last : -1;
}
