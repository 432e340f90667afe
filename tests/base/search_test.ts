import assert from "node:assert/strict";
import { test } from "node:test";
import { indexOfSorted, lowerBound, sortedOrder, upperBound } from "../../src/base/search.ts";
import { TripleTable } from "../../src/base/triple_table.ts";

test("lowerBound() and upperBound() agree with counting", () => {
  const values = [1, 3, 3, 3, 8, 9];
  for (let value = 0; value < 11; value++) {
    assert.equal(lowerBound(values, value), values.filter((other) => other < value).length);
    assert.equal(upperBound(values, value), values.filter((other) => other <= value).length);
    assert.equal(indexOfSorted(values, value), values.indexOf(value));
  }
});

test("sortedOrder() sorts 32-bit keys and keeps equal ones in order", () => {
  const keys = [5, 0xffffffff, 0, 5, 7, 0];
  assert.deepEqual([...sortedOrder(keys)], [2, 5, 0, 3, 4, 1]);
});

test("TripleTable gives each distinct triple one id, however often it grows", () => {
  const table = new TripleTable(16);
  const triples: [number, number, number][] = [];
  for (let index = 0; index < 5000; index++) triples.push([index % 7, index % 131, index * -3 | 0]);
  const first = triples.map(([a, b, c]) => table.intern(a, b, c));
  const again = triples.map(([a, b, c]) => table.intern(a, b, c));
  assert.deepEqual(again, first);
  assert.equal(table.count, new Set(triples.map(String)).size);
  assert.deepEqual([table.a[first[42]], table.b[first[42]], table.c[first[42]]], triples[42]);
});
