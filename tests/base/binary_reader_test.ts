import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAddress } from "../../src/base/address.ts";
import { BinaryReader, stringAt } from "../../src/base/binary_reader.ts";
import { FormatError } from "../../src/errors.ts";
import { ByteWriter } from "../_support/images/byte_writer.ts";

function reader(bytes: ArrayLike<number>): BinaryReader {
  return new BinaryReader(Uint8Array.from(bytes), { format: "test", section: ".s", base: 16 });
}

test("uleb() reads numbers of any size up to 2^53 and 64-bit addresses as signed numbers", () => {
  for (const value of [0, 1, 127, 128, 16383, 16384, 2 ** 31, 2 ** 32 + 5, 2 ** 53 - 1]) {
    const bytes = new ByteWriter().uleb(value).done();
    // At the end of the data, and with more behind it.
    for (const behind of [[], [0x81], [0xff, 0xff, 0xff]]) {
      const numbers = reader([...bytes, ...behind]);
      assert.equal(numbers.uleb(), value);
      assert.equal(numbers.pos, bytes.length);
    }
  }
  // 0xffffffff81000000, ten bytes: shifting into 32 bits would give -8 or 0x81000000.
  const address = reader([0x80, 0x80, 0x80, 0x88, 0xf8, 0xff, 0xff, 0xff, 0xff, 0x01]).uleb();
  assert.equal(formatAddress(address), "0xffffffff81000000");
});

test("sleb() reads negative numbers", () => {
  for (const value of [0, 1, -1, 63, 64, -64, -65, 8191, -8192, -100000, 2 ** 40, -(2 ** 40)]) {
    assert.equal(reader(new ByteWriter().sleb(value).done()).sleb(), value);
  }
});

test("address() gives kernel addresses as exact negative numbers", () => {
  const bytes = [0x34, 0x12, 0x00, 0x81, 0xff, 0xff, 0xff, 0xff];
  assert.equal(formatAddress(reader(bytes).address()), "0xffffffff81001234");
});

test("u64() refuses what a number cannot hold", () => {
  assert.throws(() => reader([0, 0, 0, 0, 0, 0, 0, 0x80]).u64(), FormatError);
});

test("every read past the end throws a FormatError that names section and offset", () => {
  const reads: ((reader: BinaryReader) => unknown)[] = [
    (r) => r.u16(),
    (r) => r.u24(),
    (r) => r.u32(),
    (r) => r.u64(),
    (r) => r.address(),
    (r) => r.skip(2),
    (r) => r.skip(-1),
    (r) => r.skip(NaN),
    (r) => r.uleb(),
    (r) => r.sleb(),
    (r) => r.skipLeb(),
    (r) => r.cString(),
  ];
  for (const read of reads) {
    assert.throws(() => read(reader([0x80])), (error: unknown) => {
      assert.ok(error instanceof FormatError, String(error));
      assert.equal(error.section, ".s");
      assert.ok((error.offset ?? 0) >= 16);
      return true;
    });
  }
});

test("a LEB128 number without an end is refused, not followed for ever", () => {
  const bytes = new Uint8Array(1000).fill(0xff);
  assert.throws(() => reader(bytes).uleb(), FormatError);
  assert.throws(() => reader(bytes).sleb(), FormatError);
});

test("stringAt() finds strings and refuses offsets outside the section", () => {
  const bytes = new ByteWriter().string("one").string("two").done();
  assert.equal(stringAt(bytes, 4, "test", ".str"), "two");
  assert.equal(stringAt(bytes, 5, "test", ".str"), "wo");
  for (const offset of [-1, 8, 1e15]) {
    assert.throws(() => stringAt(bytes, offset, "test", ".str"), FormatError);
  }
  assert.throws(() => stringAt(Uint8Array.of(65, 66), 0, "test", ".str"), FormatError);
});
