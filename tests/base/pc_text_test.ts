import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAddress, parseAddress } from "../../src/base/address.ts";
import { parsePcText } from "../../src/base/pc_text.ts";
import { FormatError } from "../../src/errors.ts";

function parse(text: string): number[] {
  return Array.from(parsePcText(new TextEncoder().encode(text)));
}

test("numbers of any length come out as parseAddress() reads them", () => {
  const numbers = [
    ...Array.from({ length: 13 }, (_, digits) => "fedcba9876543".slice(0, digits + 1)),
    "ffffffff81000005",
    "ffe0000000000001",
    "1fffffffffffff",
  ];
  const expected = numbers.map((text) => parseAddress(text));
  assert.deepEqual(parse(numbers.join("\n")), expected);
  assert.deepEqual(parse(numbers.map((text) => `0x${text.toUpperCase()}\n`).join("")), expected);
  assert.deepEqual(parse("0xffffffff81000005\n").map(formatAddress), ["0xffffffff81000005"]);
});

test("there is room for any number of PCs, however few digits they have", () => {
  assert.deepEqual(parse("1\n".repeat(1000)), Array.from({ length: 1000 }, () => 1));
  assert.deepEqual(parse(`0x6002a4f1\n${"f\n".repeat(500)}7`).slice(-2), [15, 7]);
});

test("spaces, carriage returns and empty lines are passed over", () => {
  assert.deepEqual(parse("\n 0x10 \r\n\r\n\t\n20"), [16, 32]);
  assert.deepEqual(parse(""), []);
});

/** No kernel has code there, and numbers are not exact: they would come out as others. */
const INEXACT = ["20000000000001", "0x7fffffffffffffff", "0x8000000000000001", "ffdfffffffffffff"];

test("an address that a number cannot hold is none", () => {
  for (const text of INEXACT) assert.equal(parseAddress(text), undefined, text);
  assert.equal(formatAddress(parseAddress("ffffffff80000001")!), "0xffffffff80000001");
});

test("a line that is no number is refused by its number", () => {
  for (const bad of ["0x", "xyz", "12 34", "0x1g", "12345678123456781", "-5", ...INEXACT]) {
    assert.throws(() => parse(`1\n\n${bad}\n5\n`), (error: unknown) => {
      assert.ok(error instanceof FormatError);
      assert.match(error.message, /line 3/, bad);
      return true;
    });
  }
});

test("a digit that is none is refused at any place of an address of 8 or 16 digits", () => {
  for (const address of ["0x6002a4f1", "0xffffffff8123abcd"]) {
    assert.deepEqual(parse(`${address}\n${address}`), [
      parseAddress(address),
      parseAddress(address),
    ]);
    for (let at = 2; at < address.length; at++) {
      for (const bad of ["g", "/", ":", "@", "`", "\u00ff"]) {
        const text = `${address}\n${address.slice(0, at)}${bad}${address.slice(at + 1)}\n`;
        assert.throws(() => parse(text), FormatError, text);
      }
    }
  }
});
