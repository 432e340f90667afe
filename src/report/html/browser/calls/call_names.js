// @ts-check
/// <reference lib="dom" />
/** @import { FileData, RunData } from "../../report_data.ts" */

import { element } from "../elements.js";
import { decodeSet } from "../set_codec.js";
import { count, plural } from "../text.js";

/** So many calls are named at once; more are in a list that opens. */
const CALLS_NAMED = 3;

/**
 * Names of the calls through which lines were reached, in the order of the data.
 *
 * @param {FileData} data
 * @param {number} first
 * @param {number} end
 * @returns {string[] | undefined} `undefined` where calls are known of no test.
 */
export function callsOfLines({ calls }, first, end) {
  if (calls === undefined) return undefined;
  const found = new Set(
    calls.ofLine.slice(first, end).flatMap((set) => decodeSet(calls.sets[set])),
  );
  return calls.names.filter((_, name) => found.has(name));
}

/**
 * Through which calls something was reached, and of how many of its tests that is not known.
 *
 * @param {RunData} run
 * @param {readonly string[] | undefined} calls
 * @param {Iterable<number>} tests
 */
export function callNames({ tests: { calls: known } }, calls, tests) {
  if (calls === undefined) return null;
  const unknown = [...tests].filter((test) => known?.[test] === 0).length;
  const rest = unknown === 0 ? "" : `; not known of ${plural(unknown, "test")}`;
  if (calls.length === 0) {
    return unknown === 0
      ? null
      : element("p", { class: "call-names" }, "System calls", rest.slice(1));
  }
  if (calls.length <= CALLS_NAMED) {
    return element("p", { class: "call-names" }, `Reached by ${calls.join("; ")}${rest}`);
  }
  return element(
    "details",
    { class: "call-names" },
    element("summary", null, `Reached by ${count(calls.length)} calls${rest}`),
    element("ul", null, ...calls.map((name) => element("li", null, name))),
  );
}
