import assert from "node:assert/strict";
import { test } from "node:test";
import { inlineUsers } from "../../../src/build/tree/inline_users.ts";

const PIPE = "static inline int pipe_empty(int head)\n{\n\treturn head == 0;\n}\n";

function users(texts: Record<string, string>): string[] | undefined {
  const found = inlineUsers(["pipe_empty"], new Map(Object.entries({ "pipe.h": PIPE, ...texts })));
  return found === undefined ? undefined : [...found].sort();
}

test("a file that has an inline function's name uses it, its own header does not", () => {
  assert.deepEqual(
    users({
      "pipe.c": "int f(void) { return pipe_empty(1); }\n",
      "other.c": "int pipe_empty_all, not_pipe_empty;\n",
    }),
    ["pipe.c"],
  );
});

test("an inline function that uses it is looked for in place of its header", () => {
  const texts = {
    "splice.h": "static inline int splice_empty(void)\n{\n\treturn pipe_empty(2);\n}\n",
    "deep.h": "static inline int deep(void)\n{\n\treturn splice_empty();\n}\n",
    "without.c": '#include "all.h"\n',
    "with.c": "int f(void) { return deep(); }\n",
  };
  assert.deepEqual(users(texts), ["with.c"]);
});

test("a macro and a prototype that name it are everybody's, a comment is nobody's", () => {
  assert.deepEqual(users({ "macro.h": "#define EMPTY(p) pipe_empty(p)\n" }), ["macro.h"]);
  assert.deepEqual(users({ "first.h": "static inline int pipe_empty(int);\n" }), ["first.h"]);
  assert.deepEqual(users({ "comment.h": "/* as pipe_empty() */\n" }), []);
});

test("a header that is not understood uses what it names", () => {
  assert.deepEqual(users({ "odd.h": "static inline int f(void)\n{\n pipe_empty(1);\n" }), [
    "odd.h",
  ]);
});

test("a name that a macro can put together cannot be told", () => {
  const paste = (body: string): Record<string, string> => ({
    "paste.h": `#define CALL(what, x) ${body}\n`,
    "paste.c": "CALL(empty, 1); CALL(pipe, 1); CALL(full, 1);\n",
  });
  assert.equal(users(paste("pipe_##what(x)")), undefined);
  assert.equal(users(paste("what ## _empty(x)")), undefined);
  assert.equal(users(paste("\\\n\tpi ##pe_##what(x)")), undefined);
  assert.deepEqual(users(paste("fifo_##what(x)")), []);
  assert.deepEqual(users({ "paste.h": "#define CALL(what) pipe_##what()\n" }), []);
});
