/** Lines that differ between two texts: a range of the old one's, and what stands in its place in the new one. */
export interface LineChange {
  /** First line of the range, from 0. */
  readonly oldStart: number;
  readonly oldCount: number;
  readonly newStart: number;
  readonly newCount: number;
}

/** Differences after which two texts count as having nothing more in common: the work grows with their square. */
const MOST_DIFFERENCES = 4000;

/** The smallest set of changes that makes `after` of `before`, in order (Myers' algorithm). */
export function diffLines(before: readonly string[], after: readonly string[]): LineChange[] {
  let start = 0;
  const shorter = Math.min(before.length, after.length);
  while (start < shorter && before[start] === after[start]) start++;
  let end = 0;
  while (
    end < shorter - start &&
    before[before.length - 1 - end] === after[after.length - 1 - end]
  ) end++;
  const a = before.slice(start, before.length - end), b = after.slice(start, after.length - end);
  const matches = commonLines(a, b);
  const changes: LineChange[] = [];
  let i = 0, j = 0;
  for (const [x, y] of [...matches, [a.length, b.length] as const]) {
    if (x > i || y > j) {
      changes.push({
        oldStart: start + i,
        oldCount: x - i,
        newStart: start + j,
        newCount: y - j,
      });
    }
    i = x + 1;
    j = y + 1;
  }
  return changes;
}

/** Positions of a longest common subsequence, as pairs. */
function commonLines(a: readonly string[], b: readonly string[]): [number, number][] {
  const max = Math.min(a.length + b.length, MOST_DIFFERENCES);
  const reached = new Int32Array(2 * max + 3);
  const history: Int32Array[] = [];
  for (let d = 0; d <= max; d++) {
    history.push(reached.slice(max - d, max + d + 3));
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && reached[max + k] < reached[max + k + 2]);
      let x = down ? reached[max + k + 2] : reached[max + k] + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      reached[max + k + 1] = x;
      if (x >= a.length && x - k >= b.length) return walkBack(a.length, b.length, history);
    }
  }
  return [];
}

function walkBack(
  length: number,
  otherLength: number,
  history: readonly Int32Array[],
): [number, number][] {
  const matches: [number, number][] = [];
  let x = length, y = otherLength;
  for (let d = history.length - 1; d >= 0; d--) {
    // The furthest points of diagonals -d - 1 to d + 1 after d - 1 differences.
    const reached = history[d];
    const k = x - y;
    const down = k === -d || (k !== d && reached[k + d] < reached[k + d + 2]);
    const fromX = d === 0 ? 0 : down ? reached[k + d + 2] : reached[k + d];
    const fromY = d === 0 ? 0 : fromX - (down ? k + 1 : k - 1);
    const afterX = d === 0 ? 0 : down ? fromX : fromX + 1;
    while (x > afterX) matches.push([--x, --y]);
    x = fromX;
    y = fromY;
  }
  return matches.reverse();
}
