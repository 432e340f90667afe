import type { TestRecord } from "../record/test_record.ts";
import { printable } from "./text_style.ts";

/** What identifies a test to people. */
export type NamedTest = Pick<TestRecord, "name" | "file" | "runner">;

/**
 * A name for each test that survives LCOV, whose readers turn every byte but ASCII letters, digits and `_` into
 * `_` and then merge tests whose names became equal: a readable part and six hexadecimal digits of a hash of file,
 * name and runner, so that the same test has the same name in the next run. Others of the same three get `_2`, `_3` ….
 */
export function lcovTestNames(tests: readonly NamedTest[]): string[] {
  const used = new Set<string>();
  return tests.map(({ name, file, runner }) => {
    const slug = name.replace(/[^A-Za-z0-9]+/g, "_").replace(/^_|_$/g, "").slice(0, 48);
    const base = `${slug === "" ? "test" : slug}_${
      shortHash(`${file}\n${name}${runner === undefined ? "" : `\n${runner}`}`)
    }`;
    let unique = base;
    for (let copy = 2; used.has(unique); copy++) unique = `${base}_${copy}`;
    used.add(unique);
    return unique;
  });
}

/** The real names of the tests, as `genhtml --description-file` reads them. */
export function lcovDescriptions(tests: readonly NamedTest[]): string {
  const names = lcovTestNames(tests);
  return tests.map(({ name, file, runner }, i) => {
    // One line per description; genhtml 1.16 needs the space after the colon and escapes HTML itself.
    const text = printable(
      `${file === "" ? "" : `${file}: `}${name}${runner === undefined ? "" : ` (${runner})`}`
        .replace(/\s+/g, " ").trim(),
    );
    return `TN: ${names[i]}\nTD: ${text}\n`;
  }).join("");
}

/** The real names of the tests as JSON: an object from the name in LCOV to `name`, `file` and `runner`. */
export function lcovNameMap(tests: readonly NamedTest[]): string {
  const names = lcovTestNames(tests);
  const map = Object.fromEntries(
    tests.map(({ name, file, runner }, i) => [names[i], { name, file, runner }]),
  );
  return `${JSON.stringify(map, null, 2)}\n`;
}

/** FNV-1a over UTF-16 units, folded to 24 bits. */
function shortHash(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return ((hash >>> 24) ^ (hash & 0xff_ffff)).toString(16).padStart(6, "0");
}
