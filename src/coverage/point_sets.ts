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
