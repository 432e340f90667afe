/** The values of either of two ascending columns, ascending. */
export function union(a: Uint32Array, b: Uint32Array): Uint32Array {
  const out = new Uint32Array(a.length + b.length);
  let i = 0, j = 0, n = 0;
  while (i < a.length || j < b.length) {
    const x = i < a.length ? a[i] : Infinity;
    const y = j < b.length ? b[j] : Infinity;
    out[n++] = Math.min(x, y);
    if (x <= y) i++;
    if (y <= x) j++;
  }
  return out.slice(0, n);
}

/** The values of any of some ascending columns, ascending. */
export function unionOf(columns: readonly Uint32Array[]): Uint32Array {
  let size = 0, end = 0;
  for (const column of columns) {
    size += column.length;
    if (column.length > 0) end = Math.max(end, column[column.length - 1] + 1);
  }
  // Of many values sorting takes longer than looking at all that there could be.
  return 16 * size > end ? marked(columns, end) : distinct(joined(columns, size).sort());
}

function marked(columns: readonly Uint32Array[], end: number): Uint32Array {
  const isIn = new Uint8Array(end);
  let count = 0;
  for (const column of columns) {
    for (let i = 0; i < column.length; i++) {
      count += 1 - isIn[column[i]];
      isIn[column[i]] = 1;
    }
  }
  const out = new Uint32Array(count);
  for (let value = 0, n = 0; n < count; value++) if (isIn[value] === 1) out[n++] = value;
  return out;
}

function joined(columns: readonly Uint32Array[], size: number): Uint32Array {
  const all = new Uint32Array(size);
  let end = 0;
  for (const column of columns) {
    all.set(column, end);
    end += column.length;
  }
  return all;
}

/** The values of an ascending column, each once: in the place of what it held. */
export function distinct(column: Uint32Array): Uint32Array {
  let n = 0;
  for (let i = 0; i < column.length; i++) {
    if (i === 0 || column[i] !== column[n - 1]) column[n++] = column[i];
  }
  return column.subarray(0, n);
}

/** The values of `a` that are not in `b`, both ascending. */
export function difference(a: Uint32Array, b: Uint32Array): Uint32Array {
  const out = new Uint32Array(a.length);
  let j = 0, n = 0;
  for (let i = 0; i < a.length; i++) {
    while (j < b.length && b[j] < a[i]) j++;
    if (b[j] !== a[i]) out[n++] = a[i];
  }
  return out.slice(0, n);
}

/** Number of values in both of two ascending columns. */
export function overlap(a: Uint32Array, b: Uint32Array): number {
  let i = 0, j = 0, n = 0;
  while (i < a.length && j < b.length) {
    if (a[i] < b[j]) i++;
    else if (a[i] > b[j]) j++;
    else {
      i++;
      j++;
      n++;
    }
  }
  return n;
}

/** Share of the values of either column that are in both, 0 to 1; 1 where both are empty. */
export function jaccard(a: Uint32Array, b: Uint32Array): number {
  const both = overlap(a, b);
  const either = a.length + b.length - both;
  return either === 0 ? 1 : both / either;
}
