import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { CTokens } from "../../../src/report/html/browser/c_tokens.js";

const SOURCE = String.raw`/* A comment with "quotes" and // more
 * over lines */
#include <linux/fs.h> /* not a string */
#define QUOTE '"' // neither is this: "
static const char *text = "no /* comment */ \" // here", other = '\'';
int f(u32 a, size_t b) { return a / b /* c */ * 0x1fULL; } // end
/**/ int g; /***/ char *h = "a" /* "b */ "c";
`;

function kindsOf(source: string): [string, string][] {
  return new CTokens(source).upTo(source.length)
    .map(({ kind, start, end }) => [kind, source.slice(start, end)]);
}

test("CTokens finds the comments that the compiler finds", () => {
  // The preprocessor without expansion takes comments out and leaves all else.
  const gcc = spawnSync("gcc", ["-fpreprocessed", "-dD", "-E", "-P", "-x", "c", "-"], {
    input: SOURCE,
    encoding: "utf8",
  });
  assert.equal(gcc.status, 0, gcc.stderr);
  let stripped = "";
  let at = 0;
  for (const { kind, start, end } of new CTokens(SOURCE).upTo(SOURCE.length)) {
    if (kind !== "comment") continue;
    stripped += SOURCE.slice(at, start);
    at = end;
  }
  stripped += SOURCE.slice(at);
  assert.equal(stripped.replace(/\s+/g, ""), gcc.stdout.replace(/\s+/g, ""));
});

test("CTokens tells strings, directives, types, keywords, numbers, calls and constants", () => {
  const kinds = kindsOf(SOURCE);
  for (
    const expected of [
      ["directive", "#include <linux/fs.h>"],
      ["string", String.raw`"no /* comment */ \" // here"`],
      ["string", String.raw`'\''`],
      ["keyword", "static"],
      ["type", "size_t"],
      ["call", "f"],
      ["constant", "0x1fULL"],
    ]
  ) {
    assert.ok(
      kinds.some(([kind, text]) => kind === expected[0] && text === expected[1]),
      expected[1],
    );
  }
});

test("CTokens ends no token behind the end of a line, and starts where it stopped", () => {
  const whole = kindsOf(SOURCE);
  assert.ok(whole.every(([, text]) => !text.includes("\n")));
  const tokens = new CTokens(SOURCE);
  for (let end = 0; end <= SOURCE.length; end += 5) tokens.upTo(end);
  assert.deepEqual(
    tokens.upTo(SOURCE.length).map(({ kind, start, end }) => [kind, SOURCE.slice(start, end)]),
    whole,
  );
});

test("CTokens comes to an end where comments and strings have none", () => {
  for (const text of ['"\\', "/*", "'", "#", "0x", "/**/"]) {
    const source = text.repeat(20_000);
    assert.ok(new CTokens(source).upTo(source.length).every(({ start, end }) => start < end));
  }
});
