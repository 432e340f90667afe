import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type CallNode, callTree } from "../../src/coverage/trace/call_tree.ts";
import { TraceCode } from "../../src/coverage/trace/trace_code.ts";
import { elfFileOf } from "../../src/elf/elf_file.ts";
import { ImageCode } from "../../src/elf/image_code.ts";
import { readSymbolNames } from "../../src/elf/symbol_names.ts";
import { readImagePoints } from "../../src/symbolize/units/image_points.ts";

const SOURCES = join(import.meta.dirname!, "../data/traced");
const FOLDER = mkdtempSync(join(tmpdir(), "kernelcov-traced-"));
after(() => rmSync(FOLDER, { recursive: true }));

/** A program, and what it ran: for each point its address and the functions on the stack, outermost first. */
interface Traced {
  readonly code: TraceCode;
  readonly addresses: number[];
  readonly stacks: string[][];
}

/** Compiles and runs the program. Its stack is walked by frame pointers, which every function has set up. */
function traced(...flags: string[]): Traced {
  const gcc = (source: string, ...more: string[]): string => {
    const object = join(FOLDER, `${source}.o`);
    const frames = [
      "-fno-omit-frame-pointer",
      "-fno-shrink-wrap",
      "-fno-pie",
      "-fcf-protection=none",
    ];
    execFileSync("gcc", [
      ...["-c", join(SOURCES, source), "-o", object, "-fno-optimize-sibling-calls"],
      ...frames,
      ...more,
    ]);
    return object;
  };
  const program = join(FOLDER, "traced");
  const objects = [
    gcc("traced.c", "-fsanitize-coverage=trace-pc", ...flags),
    gcc("other.c", "-O1"),
  ];
  execFileSync("gcc", ["-static", "-no-pie", ...objects, "-o", program]);
  const listing = execFileSync(program, { encoding: "utf8", maxBuffer: 1 << 28 });
  const elf = elfFileOf(readFileSync(program));
  const { address, callLength } = readImagePoints(elf);
  const code = new TraceCode(new ImageCode(elf), readSymbolNames(elf, 0), address, callLength);
  const lines = listing.trim().split("\n").map((line) =>
    line.trim().split(" ").map((word) => parseInt(word, 16) - callLength)
  );
  return {
    code,
    addresses: lines.map(([point]) => point),
    stacks: lines.map((frames) =>
      frames.reverse().map((at) => code.functionAt(at)).filter((fn) =>
        fn >= 0 && code.hasPoints(fn)
      ).map((fn) => code.nameOf(fn)).filter((name) => name !== "main")
    ),
  };
}

/** The functions with points on the stack of each point, outermost first, by a tree. */
function stacksOf(code: TraceCode, roots: readonly CallNode[], count: number): string[][] {
  const stacks: string[][] = Array.from({ length: count }, () => []);
  const enter = (node: CallNode, outer: readonly string[]): void => {
    const stack = node.hasPoints ? [...outer, code.nameOf(node.fn)] : outer;
    for (let at = node.start; at < node.end; at++) stacks[at] = [...stack];
    for (const child of node.children) enter(child, stack);
  };
  for (const root of roots) enter(root, []);
  return stacks;
}

function everyNode(nodes: readonly CallNode[]): CallNode[] {
  return nodes.flatMap((node) => [node, ...everyNode(node.children)]);
}

for (const flags of [["-O2"], ["-O1"], ["-O0"], ["-Os"], ["-O2", "-fno-jump-tables"]]) {
  test(`callTree() has the stack of each point that a walk of the stack has, with ${flags.join(" ")}`, () => {
    const { code, addresses, stacks } = traced(...flags);
    assert.ok(addresses.length > 3_000);
    const roots = callTree(code, addresses, (fn) => code.nameOf(fn) === "test");
    const found = stacksOf(code, roots, addresses.length);
    const wrong = stacks.flatMap((stack, at) =>
      stack.join(" ") === found[at].join(" ") ? [] : [`${at}: ${stack} is ${found[at]}`]
    );
    assert.deepEqual(wrong.slice(0, 5), [], `${wrong.length} of ${stacks.length} differ`);
    assert.equal(roots.length, 30);
    const nodes = everyNode(roots);
    assert.deepEqual(nodes.filter(({ odd }) => odd > 0), []);
    const counts = Map.groupBy(nodes, ({ evidence }) => evidence);
    assert.ok(!counts.has("none") && !counts.has("middle"));
    const ambiguous = counts.get("ambiguous") ?? [];
    assert.ok(ambiguous.length * 50 < nodes.length, `${ambiguous.length} of ${nodes.length}`);
    assert.ok(nodes.some(({ hasPoints }) => !hasPoints));
  });
}
