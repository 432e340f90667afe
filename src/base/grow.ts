/** The same column with room for `length` entries, at least twice as large as before; `column` itself where it has room. */
export function grown<T extends Int32Array | Uint32Array | Float64Array | Uint16Array | Uint8Array>(
  column: T,
  length: number,
): T {
  if (length <= column.length) return column;
  const larger = new (column.constructor as new (length: number) => T)(
    Math.max(length, column.length * 2),
  );
  larger.set(column);
  return larger;
}

/** The column with room for `count` entries, the first `count` of them -1; what it held is lost. */
export function cleared(column: Int32Array<ArrayBuffer>, count: number): Int32Array<ArrayBuffer> {
  const result = column.length < count
    ? new Int32Array(Math.max(count, column.length * 2))
    : column;
  return result.fill(-1, 0, count);
}
