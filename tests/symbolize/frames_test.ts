import assert from "node:assert/strict";
import { test } from "node:test";
import * as dw from "../../src/dwarf/constants.ts";
import { elfFileOf } from "../../src/elf/elf_file.ts";
import { buildImageIndex } from "../../src/symbolize/index/build_image_index.ts";
import type { ImageIndex } from "../../src/symbolize/index/image_index.ts";
import { framesAt } from "../../src/symbolize/lookup/point_frames.ts";
import { ByteWriter } from "../_support/images/byte_writer.ts";
import {
  type AttributeSpec,
  buildAranges,
  buildLineProgram,
  buildUnits,
  type DieSpec,
  type UnitSpec,
} from "../_support/images/dwarf_builder.ts";
import {
  buildElf,
  codeSection,
  type SectionSpec,
  type SymbolSpec,
} from "../_support/images/elf_builder.ts";

const TEXT = -0x7f00_0000; // 0xffffffff81000000
const CALLBACK = 0xf0;

/** An image with a coverage call at each of the offsets. */
function imageOf(
  points: readonly number[],
  units: readonly UnitSpec[],
  extra: readonly SectionSpec[] = [],
  symbols: readonly SymbolSpec[] = [],
): ImageIndex {
  const code = new Uint8Array(0x100).fill(0x90);
  for (const at of points) {
    code.set(new ByteWriter().u8(0xe8).u32((CALLBACK - at - 5) >>> 0).done(), at);
  }
  const rows = Array.from({ length: 0x10 }, (_, index) => ({
    address: TEXT + index * 0x10,
    file: 1,
    line: 100 + index,
  }));
  const line = buildLineProgram({
    directories: ["/usr/src/linux", "fs", "./include/linux"],
    files: [["fs/pipe.c", 0], ["pipe.c", 1], ["list.h", 2]],
    sequences: [[...rows, { address: TEXT + 0x100, file: 1, line: 0 }]],
  });
  return buildImageIndex(elfFileOf(buildElf({
    sections: [
      codeSection(".text", TEXT, code),
      ...buildUnits(units),
      { name: ".debug_line", data: line },
      ...extra,
    ],
    symbols: [
      { name: "__sanitizer_cov_trace_pc", section: ".text", value: TEXT + CALLBACK, size: 16 },
      ...symbols,
    ],
  })));
}

function framesOf(index: ImageIndex): string[][] {
  return Array.from(
    index.allPointOffsets,
    (_, point) =>
      framesAt(index, point).map(({ symbol, path, line }) => `${symbol} ${path}:${line}`),
  );
}

const ROOT: AttributeSpec[] = [
  [dw.DW_AT_name, dw.DW_FORM_strp, "fs/pipe.c"],
  [dw.DW_AT_comp_dir, dw.DW_FORM_string, "/usr/src/linux"],
  [dw.DW_AT_low_pc, dw.DW_FORM_addr, TEXT],
  [dw.DW_AT_high_pc, dw.DW_FORM_data8, 0x100],
  [dw.DW_AT_stmt_list, dw.DW_FORM_sec_offset, 0],
];

function unit(children: readonly DieSpec[], attributes = ROOT): UnitSpec {
  return { root: { tag: dw.DW_TAG_compile_unit, attributes, children } };
}

function range(low: number, high: number): AttributeSpec[] {
  return [
    [dw.DW_AT_low_pc, dw.DW_FORM_addr, TEXT + low],
    [dw.DW_AT_high_pc, dw.DW_FORM_data4, high - low],
  ];
}

function named(name: string, line: number, file = 1): AttributeSpec[] {
  return [
    [dw.DW_AT_name, dw.DW_FORM_strp, name],
    [dw.DW_AT_decl_file, dw.DW_FORM_data1, file],
    [dw.DW_AT_decl_line, dw.DW_FORM_data2, line],
  ];
}

function call(
  origin: string,
  low: number,
  high: number,
  line: number,
  children?: DieSpec[],
): DieSpec {
  return {
    tag: dw.DW_TAG_inlined_subroutine,
    attributes: [
      [dw.DW_AT_abstract_origin, dw.DW_FORM_ref_addr, { label: origin }],
      ...range(low, high),
      [dw.DW_AT_call_file, dw.DW_FORM_implicit_const, 1],
      [dw.DW_AT_call_line, dw.DW_FORM_udata, line],
    ],
    children,
  };
}

const WRITE: DieSpec = {
  tag: dw.DW_TAG_subprogram,
  attributes: [...named("pipe_write", 50), ...range(0, 0x80)],
  children: [call("full", 0x20, 0x40, 60, [call("empty", 0x28, 0x30, 70)])],
};
const FULL: DieSpec = {
  tag: dw.DW_TAG_subprogram,
  attributes: named("pipe_full", 10, 2),
  label: "full",
};
const EMPTY: DieSpec = {
  tag: dw.DW_TAG_subprogram,
  attributes: named("list_empty", 20, 2),
  label: "empty",
};

test("inlined chains are given innermost first, with the lines of the calls", () => {
  const index = imageOf([0x00, 0x22, 0x28, 0x38, 0x60], [unit([FULL, EMPTY, WRITE])]);
  const file = "/usr/src/linux/fs/pipe.c";
  assert.deepEqual(index.problems, []);
  assert.deepEqual(framesOf(index), [
    [`pipe_write ${file}:100`],
    [`pipe_full ${file}:102`, `pipe_write ${file}:60`],
    [`list_empty ${file}:102`, `pipe_full ${file}:70`, `pipe_write ${file}:60`],
    [`pipe_full ${file}:103`, `pipe_write ${file}:60`],
    [`pipe_write ${file}:106`],
  ]);
  assert.deepEqual(index.files.filter((name) => name !== "??"), [
    "fs/pipe.c",
    "include/linux/list.h",
  ]);
  const functions = index.functionName.map((name, id) =>
    `${name} ${index.files[index.functionFile[id]]}:${index.functionLine[id]}`
  );
  assert.deepEqual(functions, [
    "pipe_write fs/pipe.c:50",
    "pipe_full include/linux/list.h:10",
    "list_empty include/linux/list.h:20",
  ]);
});

test("functions that stand in another unit are found, of a partial unit too", () => {
  const shared: UnitSpec = {
    type: dw.DW_UT_partial,
    root: {
      tag: 0x3c,
      attributes: [ROOT[1], ROOT[4]],
      children: [FULL, EMPTY],
    },
  };
  const chains = (index: ImageIndex) =>
    framesOf(index).map((frames) => frames.map((text) => text.split(" ")[0]));
  const expected = [["list_empty", "pipe_full", "pipe_write"]];
  assert.deepEqual(chains(imageOf([0x28], [shared, unit([WRITE])])), expected);
  assert.deepEqual(
    chains(imageOf([0x28], [unit([WRITE]), unit([FULL, EMPTY], [ROOT[1], ROOT[4]])])),
    expected,
  );
});

test("names come along specification and origin; a loop of references ends", () => {
  const declaration: DieSpec = {
    tag: dw.DW_TAG_subprogram,
    attributes: named("declared", 7),
    label: "declaration",
  };
  const abstract: DieSpec = {
    tag: dw.DW_TAG_subprogram,
    attributes: [[dw.DW_AT_specification, dw.DW_FORM_ref4, { label: "declaration" }]],
    label: "abstract",
  };
  const concrete: DieSpec = {
    tag: dw.DW_TAG_subprogram,
    attributes: [
      [dw.DW_AT_abstract_origin, dw.DW_FORM_ref4, { label: "abstract" }],
      ...range(0, 0x80),
    ],
  };
  const index = imageOf([0x10], [unit([declaration, abstract, concrete])]);
  assert.equal(index.functionName[index.frameFunction[0]], "declared");
  const loop: DieSpec = {
    tag: dw.DW_TAG_subprogram,
    attributes: [[dw.DW_AT_abstract_origin, dw.DW_FORM_ref4, { label: "loop" }], ...range(0, 0x80)],
    label: "loop",
  };
  assert.equal(framesOf(imageOf([0x10], [unit([loop])]))[0][0].split(" ")[0], "??");
});

test("the outermost frame has its symbol's name, of several the largest and last; the source name stays", () => {
  const symbol = { section: ".text", value: TEXT, size: 0x20 };
  const index = imageOf([0x10, 0x30], [unit([WRITE, FULL, EMPTY])], [], [
    { ...symbol, name: "pipe_write.isra.0" },
    { ...symbol, name: "small", size: 4 },
    { ...symbol, name: "alias" },
  ]);
  assert.equal(framesAt(index, 0)[0].symbol, "alias");
  assert.equal(framesAt(index, 0)[0].function, "pipe_write");
  assert.deepEqual(framesAt(index, 1).map(({ symbol }) => symbol), ["pipe_full", "pipe_write"]);
});

test("a damaged unit costs its own points' lines and is named; the others keep theirs", () => {
  const other: DieSpec = {
    tag: dw.DW_TAG_subprogram,
    attributes: [...named("other", 5), ...range(0x80, 0xa0)],
  };
  const first = [...ROOT.slice(0, 2), ...range(0, 0x80), ROOT[4]];
  const second = [...ROOT.slice(0, 2), ...range(0x80, 0x100), ROOT[4]];
  const units = [unit([FULL, EMPTY, WRITE], first), unit([other], second)];
  const [info] = buildUnits(units);
  const size = new DataView(info.data.buffer).getUint32(0, true) + 4;
  const aranges = {
    name: ".debug_aranges",
    data: buildAranges([[0, [[TEXT, TEXT + 0x80]]], [size, [[TEXT + 0x80, TEXT + 0x100]]]]),
  };
  const whole = imageOf([0x28, 0x90], units, [aranges]);
  assert.deepEqual(framesOf(whole).map((frames) => frames.length), [3, 1]);
  const broken: DieSpec = {
    tag: dw.DW_TAG_subprogram,
    attributes: [...named("broken", 5), [dw.DW_AT_ranges, dw.DW_FORM_sec_offset, 0x7fff]],
  };
  const damaged = imageOf([0x28, 0x90], [unit([FULL, EMPTY, WRITE, broken], first), units[1]]);
  assert.equal(damaged.problems.length, 1);
  assert.match(damaged.problems[0], /\.debug_rnglists\+0x7fff/);
  assert.equal(framesOf(damaged)[1][0].split(" ")[0], "other");
  assert.ok(!framesOf(damaged)[0].join().includes("list_empty"));
});

test("an address whose frames are damaged midway has none, and those of later units stay theirs", () => {
  const rootOf = (low: number, high: number): AttributeSpec[] => [
    ROOT[0],
    ROOT[1],
    ...range(low, high),
    ROOT[4],
  ];
  const damaged: DieSpec = {
    tag: dw.DW_TAG_subprogram,
    attributes: [
      [dw.DW_AT_abstract_origin, dw.DW_FORM_ref4, 0x7fff_ff00],
      ...range(0, 0x40),
    ],
    children: [call("full", 0x20, 0x30, 60)],
  };
  const whole: DieSpec = {
    tag: dw.DW_TAG_subprogram,
    attributes: [...named("pipe_read", 80), ...range(0x40, 0x80)],
  };
  const index = imageOf([0x22, 0x48], [
    unit([FULL, damaged], rootOf(0, 0x40)),
    unit([whole], rootOf(0x40, 0x80)),
  ]);
  assert.equal(index.problems.length, 1);
  assert.deepEqual(framesOf(index), [
    ["?? ??:0"],
    ["pipe_read /usr/src/linux/fs/pipe.c:104"],
  ]);
  assert.deepEqual([...index.claimStart], [0, 0, index.claimLine.length]);
  const claimed = Array.from(index.claimLine, (line) => index.lineNumber[line]);
  assert.deepEqual(claimed.sort((a, b) => a - b), [80, 104, 105, 106, 107]);
});

test("an image without debug information has points, and symbols for names", () => {
  const index = imageOf([0x10], [], [], [{
    name: "vfs_read",
    section: ".text",
    value: TEXT,
    size: 0x40,
  }]);
  assert.equal(index.pointOffset.length, 1);
  assert.equal(index.frameStart[1], 0);
  assert.deepEqual(framesOf(index), [["vfs_read ??:0"]]);
});
