import assert from "node:assert/strict";
import { test } from "node:test";
import { changedInlines, inlineFunctions } from "../../../src/build/tree/inline_functions.ts";

const HEADER = `/* "Quotes" and { braces */
#define PIPE_MAX(a) \\
	do { if (a) {
#define PIPE_END }

struct pipe { int head; };

/**
 * pipe_empty - whether { nothing is in it
 */
static inline bool pipe_empty(unsigned int head, unsigned int tail)
{
	return head == tail;
}

static __always_inline __must_check char
*pipe_name(struct pipe *pipe) __must_hold(pipe)
{
	return "}{";
}

int pipe_count(void);
`;

function namesOf(text: string): string[][] | undefined {
  return inlineFunctions(text)?.functions.map(({ names }) => [...names]);
}

test("inline functions are found among comments, strings and macros with braces", () => {
  assert.deepEqual(namesOf(HEADER), [["pipe_empty"], ["pipe_name", "__must_hold"]]);
  assert.deepEqual(namesOf("static inline __printf(1, 2) void say(char *text, ...) {}\n"), [
    ["__printf", "say"],
  ]);
  assert.deepEqual(namesOf("static int table[] = { 1, 2 };\nint f(void) { return 1; }\n"), []);
});

test("a header whose braces do not match is not understood", () => {
  assert.equal(namesOf("static inline int f(void)\n{\n"), undefined);
  assert.equal(namesOf("}\n"), undefined);
  const branches =
    "static inline int f(int a)\n{\n#ifdef A\n\tif (a) {\n#else\n\tif (!a) {\n#endif\n\t}\n}\n" +
    "static inline int g(void)\n{\n}\n}\n";
  assert.equal(namesOf(branches), undefined);
});

test("a changed body is that of its function", () => {
  const changed = HEADER.replace("head == tail", "head - tail == 0");
  assert.deepEqual(changedInlines(HEADER, changed), ["pipe_empty"]);
  assert.deepEqual(changedInlines(HEADER, changed.replace('"}{"', '"{"')), [
    "pipe_empty",
    "pipe_name",
    "__must_hold",
  ]);
});

test("a changed comment changes nothing where its lines stay", () => {
  assert.deepEqual(changedInlines(HEADER, HEADER.replace("nothing is", "no byte is")), []);
  assert.equal(changedInlines(HEADER, HEADER.replace(" */\nstatic", " *\n */\nstatic")), undefined);
});

test("anything else that changes is everybody's", () => {
  const changes: [string, string][] = [
    ["int head;", "long head;"],
    ["if (a) {", "if (!a) {"],
    ["unsigned int head,", "unsigned long head,"],
    ["pipe_count(void)", "pipe_count(int)"],
    ["__must_check ", ""],
    // Lines move.
    ["return head == tail;", "return\n\t\thead == tail;"],
    ["{\n\treturn head", "{\n#define X\n\treturn head"],
    ["{\n\treturn head == tail;\n}\n\n", ";\n\n\n\n"],
  ];
  for (const [from, to] of changes) {
    const changed = HEADER.replace(from, to);
    assert.notEqual(changed, HEADER, from);
    assert.equal(changedInlines(HEADER, changed), undefined, from);
  }
  // So is a macro that a body defines.
  const macro = "static inline int f(void)\n{\n#define X 1\n\treturn X;\n}\n";
  assert.equal(changedInlines(macro, macro.replace("X 1", "X 2")), undefined);
});
