import assert from "node:assert/strict";
import { test } from "node:test";
import type { CallNode } from "../../src/coverage/trace/call_tree.ts";
import { type Repeated, repeatedCalls } from "../../src/coverage/trace/repeated_calls.ts";

/** Calls by their functions' letters, with those that they make in brackets: `a(bc)d`. */
function callsOf(text: string): CallNode[] {
  const levels: CallNode[][] = [[]];
  for (const letter of text) {
    const level = levels.at(-1)!;
    if (letter === "(") levels.push(level.at(-1)!.children);
    else if (letter === ")") levels.pop();
    else {
      level.push({
        fn: letter.charCodeAt(0),
        evidence: "call",
        callers: [],
        hasPoints: true,
        start: 0,
        end: 0,
        hits: 2,
        points: new Set(),
        odd: 0,
        children: [],
      });
    }
  }
  return levels[0];
}

function textOf(all: readonly Repeated[]): string {
  return all.map((one) => {
    if (one.kind === "group") return `${one.times}[${textOf(one.calls)}]`;
    const { node: { fn }, times, children } = one;
    const inner = children.length === 0 ? "" : `(${textOf(children)})`;
    return `${times === 1 ? "" : times}${String.fromCharCode(fn)}${inner}`;
  }).join("");
}

test("repeatedCalls() puts together what is alike and follows each other", () => {
  const cases: [string, string][] = [
    ["", ""],
    ["a", "a"],
    ["aaab", "3ab"],
    ["abab", "2[ab]"],
    ["xabcabcabcy", "x3[abc]y"],
    ["aabaab", "2[aab]"],
    ["a(bb)a(bb)a(bbb)", "2a(2b)a(3b)"],
    ["a(b)a(c)", "a(b)a(c)"],
    ["a(bcbc)a(bcbc)", "2a(2[bc])"],
    ["abcd", "abcd"],
  ];
  for (const [calls, expected] of cases) {
    assert.equal(textOf(repeatedCalls(callsOf(calls))), expected, calls);
  }
});

test("repeatedCalls() adds the points of calls that it puts together", () => {
  const [one] = repeatedCalls(callsOf("aaaaa"));
  assert.ok(one.kind === "call");
  assert.equal(one.hits, 10);
  const [group] = repeatedCalls(callsOf("ababab"));
  assert.ok(group.kind === "group");
  assert.deepEqual(group.calls.map(({ hits }) => hits), [6, 6]);
});
