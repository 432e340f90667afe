import assert from "node:assert/strict";
import { test } from "node:test";
import { MemorySource } from "../../src/base/byte_source.ts";
import { DwarfSections } from "../../src/dwarf/dwarf_sections.ts";
import { FormatError } from "../../src/errors.ts";
import { NameTable } from "../../src/symbolize/units/name_table.ts";

function tableOver(text: string | Uint8Array): NameTable {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  return new NameTable(
    new DwarfSections((name) => name === ".debug_str" ? new MemorySource(bytes) : undefined),
  );
}

test("names at offsets and names given come back by their ids, a suffix of a name too", () => {
  const table = tableOver("vfs_read\0do_fault\0");
  const ids = [
    table.internAt(".debug_str", 9),
    table.intern("inline"),
    table.internAt(".debug_str", 0),
    table.internAt(".debug_str", 4),
    table.internAt(".debug_str", 9),
  ];
  assert.equal(ids[0], ids[4]);
  const names = table.strings();
  assert.deepEqual(ids.map((id) => names[id]), [
    "do_fault",
    "inline",
    "vfs_read",
    "read",
    "do_fault",
  ]);
});

test("names are right where the section has characters of several bytes, or bytes that are none", () => {
  const table = tableOver("caf\u00e9\0tail\0");
  const ids = [0, 6].map((offset) => table.internAt(".debug_str", offset));
  assert.deepEqual(ids.map((id) => table.strings()[id]), ["caf\u00e9", "tail"]);
  const broken = tableOver(Uint8Array.of(0x61, 0xff, 0x62, 0, 0x63, 0));
  const id = broken.internAt(".debug_str", 4);
  assert.equal(broken.strings()[id], "c");
});

test("an offset outside the section, or at a string without an end, is a FormatError at once", () => {
  assert.throws(() => tableOver("name\0").internAt(".debug_str", 5), FormatError);
  assert.throws(() => tableOver("name\0").internAt(".debug_str", -1), FormatError);
  assert.throws(() => tableOver("name\0cut").internAt(".debug_str", 5), FormatError);
  assert.equal(tableOver("name\0cut").internAt(".debug_str", 0), 0);
});
