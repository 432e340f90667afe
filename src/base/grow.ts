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
