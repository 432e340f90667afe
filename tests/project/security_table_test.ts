import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

/** Files that a row of the table may name, by their names; the first where it names none. */
const FILES = [
  "tests/machines/guest/host_safety_test.ts",
  "tests/machines/guest/writable_folder_test.ts",
  "tests/machines/guest/launcher_test.ts",
  "tests/machines/guest/guest_line_test.ts",
  "tests/cli/planted_files_test.ts",
].map((path) => ({ path, text: read(path) }));

function read(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
}

/** The last column of the tables that name tests. */
const HELD_BY = read("docs/security.md").split("\n")
  .filter((line) => line.startsWith("| ") && line.split(" | ").length === 3)
  .map((line) => line.split(" | ")[2]!.replace(/ \|$/, ""))
  .filter((cell) => !["Test", "What it does"].includes(cell));

test("docs/security.md names tests that there are", () => {
  const rows = HELD_BY.filter((cell) => !cell.includes(". ") && !cell.endsWith("."));
  assert.ok(rows.length >= 35, String(rows.length));
  for (const cell of rows) {
    const [, file, name] = /^`(?:tests\/cli\/)?(\w+\.ts)`: (.*)$/.exec(cell) ?? [];
    const { text } = file === undefined
      ? FILES[0]!
      : FILES.find(({ path }) => path.endsWith(`/${file}`))!;
    // A name that is put together from a variable is quoted from its fixed part on.
    const wanted = (name ?? cell).replace(/^test takes/, "takes");
    assert.ok(text.includes(wanted), `${file ?? FILES[0]!.path}: ${wanted}`);
  }
});

test("docs/security.md has a row for every way that is tried", () => {
  const names = [...FILES[0]!.text.matchAll(/^ {4}name: "(.*)",$|^ {2}\{ name: "(.*?)",/gm)].map((
    match,
  ) => match[1] ?? match[2]!);
  assert.ok(names.length >= 30, String(names.length));
  for (const name of names) assert.ok(HELD_BY.includes(name), name);
});
