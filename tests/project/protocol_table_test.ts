import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

function read(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
}

/** The rows of the document: what is stated, and what proves it. */
const ROWS = read("docs/protocol.md").split("\n")
  .filter((line) => line.startsWith("| ") && !line.startsWith("| Statement"))
  .map((line) => line.slice(2, -2).split(" | "));

test("docs/protocol.md names for each statement a test that there is, or says why there is none", () => {
  assert.ok(ROWS.length >= 35, String(ROWS.length));
  let proved = 0;
  for (const row of ROWS) {
    assert.equal(row.length, 2, row.join(" | "));
    const [statement, proof] = row;
    if (proof.startsWith("none")) {
      assert.match(proof, /^none(?: here)?: \S.{20}/, statement);
      continue;
    }
    const [, path, name] = /^`(tests\/\S+_test\.ts)`: (.+)$/.exec(proof) ?? [];
    assert.ok(path !== undefined, `${statement}: ${proof}`);
    // The end of a name may be put together from a variable.
    assert.ok(read(path).includes(name), `${path}: ${name}`);
    proved++;
  }
  assert.ok(proved >= 33, String(proved));
});

test("docs/protocol.md has every case of the protocol's tests", () => {
  const cases = read("tests/kernel/protocol/protocol_test.ts")
    .matchAll(/^ {2}\w+:\s+"(.*)",$/gm);
  const names = [...cases].map(([, name]) => name);
  assert.ok(names.length >= 17);
  for (const name of names) assert.ok(ROWS.some(([, proof]) => proof.endsWith(`: ${name}`)), name);
});
