/** Index of the first of the ascending `values` in `[from, to)` that is at least `value`; `to` where none is. */
export function lowerBound(
  values: ArrayLike<number>,
  value: number,
  from = 0,
  to: number = values.length,
): number {
  let low = from, high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Index of the first of the ascending `values` in `[from, to)` that is above `value`; `to` where none is. */
export function upperBound(
  values: ArrayLike<number>,
  value: number,
  from = 0,
  to: number = values.length,
): number {
  let low = from, high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Index of `value` among the ascending `values`, or -1. */
export function indexOfSorted(values: ArrayLike<number>, value: number): number {
  const at = lowerBound(values, value);
  return at < values.length && values[at] === value ? at : -1;
}

/** Indexes of `keys` in ascending order of the keys, equal keys in their first order; keys are integers of at most 32 bits, unsigned. */
export function sortedOrder(keys: ArrayLike<number>): Uint32Array {
  const count = keys.length;
  const packed = new Float64Array(count);
  // A typed array of numbers sorts natively, without calling back: 32 bits of key over 21 bits of index.
  if (count <= 0x20_0000) {
    for (let index = 0; index < count; index++) packed[index] = keys[index] * 0x20_0000 + index;
    packed.sort();
    return Uint32Array.from(packed, lowBits);
  }
  return Uint32Array.from(keys, (_, index) => index).sort((a, b) => keys[a] - keys[b] || a - b);
}

function lowBits(value: number): number {
  return value % 0x20_0000;
}
