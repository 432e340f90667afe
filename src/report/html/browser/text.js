// @ts-check

/**
 * A whole number with a comma between thousands.
 *
 * @param {number} value
 */
export function count(value) {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ",");
}

/**
 * `1 test`, `2 tests`.
 *
 * @param {number} value
 * @param {string} one
 */
export function plural(value, one) {
  return `${count(value)} ${one}${value === 1 ? "" : "s"}`;
}

/**
 * A share with one decimal; never rounded to 100 % or to 0 % when it is not.
 *
 * @param {number} hit
 * @param {number} all
 */
export function percent(hit, all) {
  if (all === 0) return "–";
  if (hit === all) return "100 %";
  if (hit === 0) return "0 %";
  return `${Math.min(99.9, Math.max(0.1, 100 * hit / all)).toFixed(1)} %`;
}

/** @param {number} milliseconds */
export function duration(milliseconds) {
  if (milliseconds >= 60_000) {
    const seconds = Math.round(milliseconds / 1000);
    return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  }
  if (milliseconds >= 1000) return `${(milliseconds / 1000).toFixed(2)} s`;
  return `${milliseconds >= 10 ? Math.round(milliseconds) : milliseconds} ms`;
}

/**
 * Ascending numbers as ranges: `3, 5–9`; after `limit` ranges, how many more there are.
 *
 * @param {readonly number[]} numbers
 * @param {number} [limit]
 */
export function ranges(numbers, limit = Infinity) {
  /** @type {string[]} */
  const texts = [];
  for (let i = 0; i < numbers.length;) {
    const first = numbers[i];
    let last = first;
    while (numbers[++i] === last + 1) last++;
    if (texts.length === limit) {
      texts.push(`and ${count(numbers.length - numbers.indexOf(first))} more`);
      break;
    }
    texts.push(first === last ? String(first) : `${first}–${last}`);
  }
  return texts.join(", ");
}

/**
 * The addresses of the pages. Paths and names are encoded, so that any characters are safe in them.
 */
export const address = {
  /** @param {string} path */
  directory: (path) => path === "" ? "#/" : `#/dir/${encodePath(path)}`,
  /**
   * @param {string} path
   * @param {{ line?: number, test?: number, with?: number }} [parameters]
   */
  file: (path, parameters = {}) => `#/file/${encodePath(path)}${query(parameters)}`,
  /** @param {number} test */
  test: (test) => `#/test/${test}`,
  /**
   * @param {number} a
   * @param {number} b
   */
  compare: (a, b) => `#/compare/${a}/${b}`,
};

/** @param {string} path */
function encodePath(path) {
  return path.split("/").map(encodeURIComponent).join("/");
}

/** @param {Record<string, number | undefined>} parameters */
function query(parameters) {
  const pairs = Object.entries(parameters).filter(([, value]) => value !== undefined);
  return pairs.length === 0 ? "" : `?${pairs.map(([key, value]) => `${key}=${value}`).join("&")}`;
}
