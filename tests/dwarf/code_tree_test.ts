import assert from "node:assert/strict";
import { test } from "node:test";
import { MemorySource } from "../../src/base/byte_source.ts";
import { CodeTree } from "../../src/dwarf/code_tree.ts";
import * as dw from "../../src/dwarf/constants.ts";
import { DwarfSections } from "../../src/dwarf/dwarf_sections.ts";
import { Unit } from "../../src/dwarf/unit.ts";
import { readUnitHeaders } from "../../src/dwarf/unit_headers.ts";
import { FormatError } from "../../src/errors.ts";
import { ByteWriter } from "../_support/images/byte_writer.ts";
import { buildUnits, type DieSpec, type UnitSpec } from "../_support/images/dwarf_builder.ts";
import type { SectionSpec } from "../_support/images/elf_builder.ts";

const TEXT = -0x7f00_0000; // 0xffffffff81000000

function sectionsOf(list: readonly SectionSpec[]): DwarfSections {
  return new DwarfSections((name) => {
    const found = list.find((section) => section.name === name);
    return found === undefined ? undefined : new MemorySource(found.data);
  });
}

/** Ranges of code entries as `[low, high, depth]`, offsets from `TEXT`. */
function treeOf(
  list: readonly SectionSpec[],
  addresses: ArrayLike<number> = [],
  allCalls = true,
  unitIndex = 0,
): [number, number, number][] {
  const sections = sectionsOf(list);
  const problems: string[] = [];
  const header = readUnitHeaders(sections.info, problems)[unitIndex];
  assert.deepEqual(problems, []);
  const bytes = sections.info.read(header.offset, header.end - header.offset);
  const tree = new CodeTree();
  tree.read(new Unit(sections, header, bytes), addresses, allCalls);
  return Array.from({ length: tree.rangeCount }, (_, range) => {
    let depth = 0;
    for (let entry = tree.parent[tree.rangeEntry[range]]; entry >= 0; entry = tree.parent[entry]) {
      depth++;
    }
    return [tree.rangeLow[range] - TEXT, tree.rangeHigh[range] - TEXT, depth];
  });
}

function inlined(low: number, high: number, children?: DieSpec[]): DieSpec {
  return {
    tag: dw.DW_TAG_inlined_subroutine,
    attributes: [
      [dw.DW_AT_low_pc, dw.DW_FORM_addr, TEXT + low],
      [dw.DW_AT_high_pc, dw.DW_FORM_data8, high - low],
    ],
    children,
  };
}

function subprogram(low: number, high: number, children?: DieSpec[]): DieSpec {
  return { ...inlined(low, high, children), tag: dw.DW_TAG_subprogram };
}

/** What stands between functions, of every kind of attribute, to be skipped. */
const NOISE: DieSpec[] = [
  {
    tag: dw.DW_TAG_structure_type,
    attributes: [
      [dw.DW_AT_name, dw.DW_FORM_string, "tag"],
      [0x0b, dw.DW_FORM_udata, 70000],
      [dw.DW_AT_sibling, dw.DW_FORM_ref4, 0],
    ],
    children: [{ tag: 0x0d, attributes: [[dw.DW_AT_name, dw.DW_FORM_strp, "member"]] }],
  },
  { tag: 0x24, attributes: [[0x0b, dw.DW_FORM_data1, 4], [0x3e, dw.DW_FORM_data2, 5]] },
  {
    tag: dw.DW_TAG_variable,
    attributes: [
      [0x02, dw.DW_FORM_exprloc, Uint8Array.of(3, 1, 2, 3)],
      [0x1c, dw.DW_FORM_sdata, -5],
      [0x3f, dw.DW_FORM_flag_present, 1],
      [0x0b, dw.DW_FORM_implicit_const, -9],
    ],
  },
  { tag: 0x4711, attributes: [[0x2fff, dw.DW_FORM_ref_sig8, 12]], children: [] },
];

const FUNCTIONS: DieSpec[] = [
  ...NOISE,
  subprogram(0, 100, [
    inlined(10, 50, [{ tag: 0x0b, children: [inlined(20, 30)] }]),
    ...NOISE,
    inlined(60, 61, []),
  ]),
  subprogram(100, 140),
];
const EXPECTED = [[0, 100, 0], [10, 50, 1], [20, 30, 2], [60, 61, 1], [100, 140, 0]];

for (
  const [what, unit] of [
    ["version 5", { version: 5 }],
    ["version 4", { version: 4 }],
    ["64-bit DWARF", { is64Bit: true }],
  ] as [string, Partial<UnitSpec>][]
) {
  const root: DieSpec = { tag: dw.DW_TAG_compile_unit, children: FUNCTIONS };

  test(`functions and inlined calls of ${what} are found between everything else`, () => {
    assert.deepEqual(treeOf(buildUnits([{ ...unit, root }]), [TEXT, TEXT + 120]), EXPECTED);
  });

  test(`every truncation of a unit of ${what} is a problem or a FormatError`, () => {
    const list = buildUnits([{ ...unit, root }]);
    const info = list[0].data;
    for (let length = 1; length < info.length; length++) {
      const cut = [{ ...list[0], data: info.slice(0, length) }, ...list.slice(1)];
      const sections = sectionsOf(cut);
      const problems: string[] = [];
      const headers = readUnitHeaders(sections.info, problems);
      assert.deepEqual([headers.length, problems.length], [0, 1], `at ${length}`);
    }
  });

  test(`a unit of ${what} with any byte changed is read or refused`, () => {
    const list = buildUnits([{ ...unit, root }]);
    for (const which of [0, 1]) {
      for (let at = 0; at < list[which].data.length; at++) {
        for (const value of [0, 1, 0x7f, 0xff]) {
          const data = list[which].data.slice();
          data[at] = value;
          const sections = sectionsOf(
            list.map((section, i) => i === which ? { ...section, data } : section),
          );
          for (const header of readUnitHeaders(sections.info, [])) {
            try {
              const bytes = sections.info.read(header.offset, header.end - header.offset);
              new CodeTree().read(new Unit(sections, header, bytes), [TEXT], true);
            } catch (error) {
              assert.ok(error instanceof FormatError, `byte ${at} as ${value}: ${error}`);
            }
          }
        }
      }
    }
  });
}

test("functions that no address is in are left out", () => {
  const list = buildUnits([{ root: { tag: dw.DW_TAG_compile_unit, children: FUNCTIONS } }]);
  assert.deepEqual(treeOf(list, [TEXT + 120], true), [[100, 140, 0]]);
  assert.deepEqual(treeOf(list, [TEXT + 25], false), [[0, 100, 0], [10, 50, 1], [20, 30, 2]]);
  assert.deepEqual(treeOf(list, [TEXT + 5000], true), []);
});

test("the first address of each range is found, wherever the range before it was", () => {
  const addresses = Float64Array.from({ length: 300 }, (_, at) => TEXT + 7 * at);
  const ranges = Array.from({ length: 200 }, (_, at): [number, number] => {
    const low = at * 1103 % 2200;
    return [low, low + 1 + at % 90];
  });
  const list = buildUnits([{
    root: {
      tag: dw.DW_TAG_compile_unit,
      children: ranges.map(([low, high]) => subprogram(low, high)),
    },
  }]);
  const sections = sectionsOf(list);
  const [header] = readUnitHeaders(sections.info, []);
  const bytes = sections.info.read(header.offset, header.end - header.offset);
  const tree = new CodeTree();
  tree.read(new Unit(sections, header, bytes), addresses, false);
  const firstFrom = (low: number) => addresses.filter((address) => address < low).length;
  const found = Array.from(
    tree.rangeFirst.subarray(0, tree.rangeCount),
    (first, at) => [tree.rangeLow[at], first],
  );
  const holding = ranges.filter(([low, high]) => Math.ceil(low / 7) * 7 < Math.min(high, 2100));
  assert.ok(holding.length > 100 && holding.length < 200);
  assert.deepEqual(found, holding.map(([low]) => [TEXT + low, firstFrom(TEXT + low)]));
});

test("entries are found behind more kinds of entries than one byte can number", () => {
  const kinds = Array.from({ length: 300 }, (_, at): DieSpec => ({
    tag: dw.DW_TAG_variable,
    attributes: [[0x2100 + at, dw.DW_FORM_data1, 0]],
  }));
  const list = buildUnits([{
    root: { tag: dw.DW_TAG_compile_unit, children: [...kinds, ...FUNCTIONS, ...kinds] },
  }]);
  assert.deepEqual(treeOf(list, [TEXT, TEXT + 120]), EXPECTED);
});

test("range lists of version 5 give their ranges in every form", () => {
  const lists = new ByteWriter();
  lists.u8(dw.DW_RLE_base_address).u64(TEXT + 100);
  lists.u8(dw.DW_RLE_offset_pair).uleb(1).uleb(3);
  lists.u8(dw.DW_RLE_start_end).u64(TEXT + 8).u64(TEXT + 9);
  lists.u8(dw.DW_RLE_start_length).u64(TEXT + 20).uleb(5);
  lists.u8(dw.DW_RLE_start_length).u64(TEXT + 40).uleb(0);
  lists.u8(dw.DW_RLE_base_addressx).uleb(1);
  lists.u8(dw.DW_RLE_offset_pair).uleb(2).uleb(4);
  lists.u8(dw.DW_RLE_startx_endx).uleb(0).uleb(1);
  lists.u8(dw.DW_RLE_startx_length).uleb(0).uleb(7);
  lists.u8(dw.DW_RLE_end_of_list);
  const addresses = new ByteWriter().u32(20).u16(5).u8(8).u8(0).u64(TEXT + 200).u64(TEXT + 300)
    .done();
  const header = new ByteWriter().u32(0).u16(5).u8(8).u8(0).u32(1).u32(4).done();
  const all = [
    ...buildUnits([{
      root: {
        tag: dw.DW_TAG_compile_unit,
        attributes: [
          [dw.DW_AT_addr_base, dw.DW_FORM_sec_offset, 8],
          [dw.DW_AT_rnglists_base, dw.DW_FORM_sec_offset, 12],
        ],
        children: [{
          tag: dw.DW_TAG_subprogram,
          attributes: [[dw.DW_AT_ranges, dw.DW_FORM_rnglistx, 0]],
        }],
      },
    }]),
    { name: ".debug_addr", data: addresses },
    { name: ".debug_rnglists", data: new ByteWriter().bytes(header).bytes(lists.done()).done() },
  ];
  const every = Array.from({ length: 400 }, (_, offset) => TEXT + offset);
  assert.deepEqual(treeOf(all, every), [
    [101, 103, 0],
    [8, 9, 0],
    [20, 25, 0],
    [302, 304, 0],
    [200, 300, 0],
    [200, 207, 0],
  ]);
});

test("range lists of version 4 count from the unit's base until another is chosen", () => {
  const lists = new ByteWriter().u64(1).u64(2).u64(-1).u64(TEXT + 50).u64(0).u64(4).u64(0).u64(0)
    .done();
  const all = [
    ...buildUnits([{
      version: 4,
      root: {
        tag: dw.DW_TAG_compile_unit,
        attributes: [[dw.DW_AT_low_pc, dw.DW_FORM_addr, TEXT]],
        children: [{
          tag: dw.DW_TAG_subprogram,
          attributes: [[dw.DW_AT_ranges, dw.DW_FORM_sec_offset, 0]],
        }],
      },
    }]),
    { name: ".debug_ranges", data: lists },
  ];
  assert.deepEqual(treeOf(all, [TEXT + 1]), [[1, 2, 0], [50, 54, 0]]);
});

test("a range list without an end is a FormatError", () => {
  const all = [
    ...buildUnits([{
      root: {
        tag: dw.DW_TAG_compile_unit,
        children: [{
          tag: dw.DW_TAG_subprogram,
          attributes: [[dw.DW_AT_ranges, dw.DW_FORM_sec_offset, 0]],
        }],
      },
    }]),
    {
      name: ".debug_rnglists",
      data: new ByteWriter().u8(dw.DW_RLE_offset_pair).uleb(1).uleb(2).done(),
    },
  ];
  assert.throws(() => treeOf(all, [TEXT]), FormatError);
});

test("a unit whose length is impossible ends the list of units; one of an unknown version is left out", () => {
  const root: DieSpec = { tag: dw.DW_TAG_compile_unit };
  const info = buildUnits([{ root }, { root }, { root }])[0].data;
  const size = info.length / 3;
  const unknown = info.slice();
  unknown[size + 4] = 9;
  const problems: string[] = [];
  const headers = readUnitHeaders(new MemorySource(unknown), problems);
  assert.deepEqual(headers.map(({ offset }) => offset), [0, 2 * size]);
  assert.match(problems.join(), /DWARF version 9/);
  const endless = info.slice();
  endless[size + 3] = 0x7f;
  assert.equal(readUnitHeaders(new MemorySource(endless), problems).length, 1);
  assert.match(problems.join(), /goes past/);
});
