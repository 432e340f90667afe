import assert from "node:assert/strict";
import { test } from "node:test";
import { CodeTree } from "../../src/dwarf/code_tree.ts";
import type { CodeReader, Jump } from "../../src/elf/code_decoder.ts";
import { X86_CODE } from "../../src/elf/x86_code.ts";
import { AddressRows } from "../../src/symbolize/units/address_rows.ts";
import { PointBlocks } from "../../src/symbolize/units/point_blocks.ts";

// Instructions of x86-64: a point is a call.
const CALL = [0xe8, 0, 0, 0, 0], RET = [0xc3], XOR = [0x31, 0xc0], INDIRECT = [0xff, 0xe0];
const NOP = [0x0f, 0x1f, 0x00];
const je = (offset: number): number[] => [0x74, offset & 0xff];
const jmp = (offset: number): number[] => [0xeb, offset & 0xff];

class Code implements CodeReader {
  readonly #bytes: Uint8Array;
  constructor(bytes: number[]) {
    this.#bytes = Uint8Array.from(bytes);
  }
  findJump(from: number, limit: number, jump: Jump): boolean {
    X86_CODE.findJump(this.#bytes, from, limit, [], jump);
    return true;
  }
  isPadding(from: number, limit: number): boolean {
    return X86_CODE.isPadding(this.#bytes, from, limit);
  }
  callStart(address: number): number {
    return address;
  }
}

/** A function, and the offset and size of each of its instructions. */
function assemble(...instructions: number[][]): { bytes: number[]; at: number[] } {
  const at = [0];
  for (const instruction of instructions) at.push(at[at.length - 1] + instruction.length);
  return { bytes: instructions.flat(), at };
}

function treeOf(size: number): CodeTree {
  const tree = new CodeTree();
  tree.count = tree.rangeCount = 1;
  tree.rangeHigh[0] = size;
  return tree;
}

/** The blocks `[start, end]` of each call of the function. */
function blocksOf(instructions: number[][]): [number, number][][] {
  const { bytes, at } = assemble(...instructions);
  const points = instructions.flatMap((instruction, index) =>
    instruction === CALL ? [at[index]] : []
  );
  const blocks = new PointBlocks();
  blocks.find(treeOf(bytes.length), Float64Array.from(points), new Code(bytes));
  return points.map((_, point) =>
    Array.from(
      blocks.block.subarray(blocks.first[point], blocks.last[point]),
      (block): [number, number] => [blocks.start[block], blocks.end[block]],
    ).sort(([a], [b]) => a - b)
  );
}

test("code behind a conditional jump is not of the point before it", () => {
  assert.deepEqual(blocksOf([CALL, je(2), XOR, CALL, RET]), [[[0, 7]], [[9, 15]]]);
});

test("a function's entry, and what an unconditional jump leads to, are of the point", () => {
  // 0: xor, 2: call, 7: jmp 11, 9: xor (never), 11: xor, 13: ret
  assert.deepEqual(blocksOf([XOR, CALL, jmp(2), XOR, XOR, RET]), [[[0, 2], [2, 9], [11, 14]]]);
});

test("a block that every way from a point passes is of it, whatever lies between", () => {
  // 0: call, 5: je 12, 7: call, 12: xor, 14: ret
  assert.deepEqual(blocksOf([CALL, je(5), CALL, XOR, RET]), [
    [[0, 7], [12, 15]],
    [[7, 12], [12, 15]],
  ]);
});

test("a block that every way to a point passes is of it, and one that some ways pass is not", () => {
  // 0: call, 5: je 13, 7: xor, 9: je 13, 11: xor, 13: call, 18: ret
  assert.deepEqual(blocksOf([CALL, je(6), XOR, je(2), XOR, CALL, RET]), [[[0, 7]], [[13, 19]]]);
  // 0: call, 5: je 16, 7: xor, 9: je 16, 11: call, 16: ret
  const [first, second] = blocksOf([CALL, je(9), XOR, je(5), CALL, RET]);
  assert.deepEqual(first, [[0, 7], [16, 17]]);
  assert.deepEqual(second, [[7, 11], [11, 16], [16, 17]]);
});

test("the head of a loop without a point is of the points behind it", () => {
  // 0: xor, 2: xor, 4: je 13, 6: call, 11: jmp 2, 13: call, 18: ret
  const [body, end] = blocksOf([XOR, XOR, je(7), CALL, jmp(-11), CALL, RET]);
  assert.deepEqual(body, [[0, 2], [2, 6], [6, 13]]);
  assert.deepEqual(end, [[0, 2], [2, 6], [13, 19]]);
});

test("padding leads nowhere, but where the code runs into it", () => {
  // 0: xor, 2: jmp 7, 4: nop, 7: call, 12: ret
  assert.deepEqual(blocksOf([XOR, jmp(3), NOP, CALL, RET]), [[[0, 4], [7, 13]]]);
  assert.deepEqual(blocksOf([NOP, CALL, RET]), [[[0, 3], [3, 9]]]);
});

test("where a table of jumps may lead, nothing is proven", () => {
  // 0: call, 5: je 11, 7: jmp rax; 9: jmp 11, 11: xor, 13: call, 18: ret
  const [, second] = blocksOf([CALL, je(4), INDIRECT, jmp(0), XOR, CALL, RET]);
  assert.deepEqual(second, [[11, 13], [13, 19]]);
  const [, behind] = blocksOf([CALL, je(6), CALL, XOR, INDIRECT, RET]);
  assert.ok(!behind.some(([start]) => start === 16));
});

test("a jump that the linker is still to fill in leaves the function", () => {
  // Its target reads as the instruction behind it.
  assert.deepEqual(blocksOf([CALL, [0xe9, 0, 0, 0, 0], XOR, CALL, RET]), [[[0, 10]], [[10, 12], [
    12,
    18,
  ]]]);
});

/** Lines of the rows of each point's blocks. */
function linesOf(
  instructions: number[][],
  rows: readonly (readonly [address: number, line: number])[],
): { lines: number[][]; own: number[] } {
  const { bytes, at } = assemble(...instructions);
  const points = Float64Array.from(
    instructions.flatMap((instruction, index) => instruction === CALL ? [at[index]] : []),
  );
  const blocks = new PointBlocks(), found = new AddressRows();
  found.clear(points.length);
  const { table } = found;
  [...rows, [bytes.length, 0] as const].forEach(([address, line], row) => {
    table.address[row] = address;
    table.line[row] = line;
    table.isStmt[row] = 1;
  });
  table.sequenceCount = 1;
  table.sequenceFirst[0] = 0;
  table.sequenceEnd[0] = table.count = rows.length;
  blocks.find(treeOf(bytes.length), points, new Code(bytes));
  found.findWithBlocks(points, blocks);
  const lines = Array.from(points, (_, point) => {
    const list = blocks.block.subarray(blocks.first[point], blocks.last[point]);
    return [...list].flatMap((block) =>
      Array.from(table.line.subarray(found.start[block], found.end[block]))
    ).sort((a, b) => a - b);
  });
  return { lines, own: Array.from(points, (_, point) => found.isOwn[point]) };
}

test("a row that goes on over a point is the point's only where the code before it always runs first", () => {
  // 0: call, 5: je 12, 7: call, 12: call, 17: ret; no row at 7 and at 12
  const { lines, own } = linesOf([CALL, je(5), CALL, CALL, RET], [[0, 1], [5, 2], [17, 4]]);
  assert.deepEqual(lines, [[1, 2], [2], [4]]);
  assert.deepEqual(own, [1, 1, 0]);
});

test("rows of no length before a block that is jumped to stay with the code that runs into it", () => {
  // 0: call, 5: je 12, 7: call, 12: call, 17: ret; the statement of line 3 has no code
  const { lines } = linesOf([CALL, je(5), CALL, CALL, RET], [
    [0, 1],
    [7, 2],
    [12, 3],
    [12, 40],
    [12, 41],
    [17, 42],
  ]);
  assert.deepEqual(lines, [[1], [2, 3], [40, 41, 42]]);
});

test("a size that no function has is not believed", () => {
  const tree = treeOf(2 ** 40);
  const blocks = new PointBlocks();
  blocks.find(tree, Float64Array.of(0, 5), new Code([...CALL, ...CALL, ...RET]));
  assert.deepEqual([...blocks.start.subarray(0, blocks.count)], [0, 5]);
});
