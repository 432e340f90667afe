// @ts-check
/// <reference lib="dom" />
/** @import { FileData, IndexData, PatchData, RunData, TestChunk, TestData } from "../report_data.ts" */

/** @type {Map<string, { promise: Promise<unknown>, resolve: (value: unknown) => void }>} */
const slots = new Map();

/** @param {string} key */
function slotOf(key) {
  let slot = slots.get(key);
  if (slot === undefined) {
    /** @type {(value: unknown) => void} */
    let resolve = Boolean;
    const promise = new Promise((settle) => resolve = settle);
    slots.set(key, slot = { promise, resolve });
  }
  return slot;
}

/**
 * Called by the data files.
 *
 * @param {string} key
 * @param {unknown} value
 */
export function put(key, value) {
  slotOf(key).resolve(value);
}

/**
 * The value of `data/<key>.js`, loaded once.
 *
 * @param {string} key
 * @returns {Promise<unknown>}
 */
function load(key) {
  const known = slots.get(key);
  if (known !== undefined) return known.promise;
  const { promise } = slotOf(key);
  const script = document.createElement("script");
  script.src = `data/${key}.js`;
  const failed = new Promise((_, reject) => {
    script.onerror = () => {
      slots.delete(key);
      reject(new TypeError(`data/${key}.js is missing: copy the report's whole folder`));
    };
  });
  document.head.append(script);
  return Promise.race([promise, failed]);
}

/** @returns {Promise<RunData>} */
export async function whenRunIsLoaded() {
  return /** @type {RunData} */ (await slotOf("run").promise);
}

/**
 * @param {number} file
 * @returns {Promise<FileData>}
 */
export async function loadFile(file) {
  return /** @type {FileData} */ (await load(`f${file}`));
}

/**
 * @param {RunData} run
 * @param {number} test
 * @returns {Promise<TestData>}
 */
export async function loadTest(run, test) {
  const { first, tests } = /** @type {TestChunk} */ (await load(`t${run.tests.chunk[test]}`));
  return tests[test - first];
}

/** @returns {Promise<IndexData>} */
export async function loadIndex() {
  return /** @type {IndexData} */ (await load("index"));
}

/** @returns {Promise<PatchData>} */
export async function loadPatch() {
  return /** @type {PatchData} */ (await load("patch"));
}
