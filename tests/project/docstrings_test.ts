import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { docstringProblems, exportsOf } from "../../scripts/checks/docstrings.ts";

const folder = mkdtempSync(join(tmpdir(), "kernelcov-docstrings-"));
after(() => rmSync(folder, { recursive: true }));

function problemsOf(source: string): string[] {
  const module = join(folder, "module.ts");
  writeFileSync(module, source);
  return docstringProblems(exportsOf(module));
}

const EXAMPLE = (code: string): string => ` * @example\n * \`\`\`ts\n * ${code}\n * \`\`\`\n`;

test("whatever an export's documentation lacks is named", () => {
  assert.deepEqual(problemsOf("export function bare(size: number): number { return size; }"), [
    "bare: no description",
    "bare: no running @example that uses it",
    "bare: no @see: its source",
    "bare: no @param size",
    "bare: no @returns",
    'bare: no @throws with an error\'s class, and no "Never throws"',
  ]);
  assert.deepEqual(
    problemsOf(
      `/** Facts.\n * @see elf(5)\n${EXAMPLE("const a: Facts = { size: 1 };")} */
      export interface Facts {
        /** How large it is. */ readonly size: number;
        readonly name: string;
        /** Asks. */ ask(what?: string): void;
      }`,
    ),
    [
      "Facts: ask(): no @param what",
      'Facts: ask(): no @throws with an error\'s class, and no "Never throws"',
      "Facts: size: a number without a unit or what it counts",
      "Facts: name: no description",
    ],
  );
});

test("an example counts where it runs and uses the name", () => {
  for (const code of ["const other = 1;", ""]) {
    assert.deepEqual(
      problemsOf(`/** A name.\n * @see elf(5)\n${EXAMPLE(code)} */ export type Name = string;`),
      ["Name: no running @example that uses it"],
    );
  }
  const ignored = EXAMPLE('const a: Name = "";').replace("```ts", "```ts ignore");
  assert.deepEqual(
    problemsOf(`/** A name.\n * @see elf(5)\n${ignored} */ export type Name = string;`),
    ["Name: no running @example that uses it"],
  );
});

test("documentation with all of it has no problem", () => {
  assert.deepEqual(
    problemsOf(
      `/** Doubles.\n * @param size In bytes.\n * @returns In bytes.\n * @throws {RangeError} It is too large.
 * @see elf(5)\n${EXAMPLE("double(1);")} */
      export function double(size: number): number { return 2 * size; }
      /** Says. Never throws.\n * @param what Words.\n * @see elf(5)\n${EXAMPLE('say("");')} */
      export function say(what: string): void { console.log(what); }`,
    ),
    [],
  );
});
