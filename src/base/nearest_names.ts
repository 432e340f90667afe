/** Names that are offered. */
const OFFERED = 3;

/**
 * The names that `text` may have been meant to be, nearest first: those with the fewest letters added, left out, changed
 * or swapped, where that is at most a third of them; and else those that it is a part of.
 */
export function nearestNames(text: string, names: Iterable<string>): string[] {
  const limit = Math.max(1, Math.floor(text.length / 3));
  const found: { readonly name: string; readonly distance: number }[] = [];
  const parts: string[] = [];
  for (const name of new Set(names)) {
    if (text.length > 2 && name.includes(text)) parts.push(name);
    if (Math.abs(name.length - text.length) > limit) continue;
    const distance = editDistance(text, name, limit);
    if (distance <= limit) found.push({ name, distance });
  }
  found.sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1));
  parts.sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  return [...new Set([...found.map(({ name }) => name), ...parts])].slice(0, OFFERED);
}

/** `: did you mean a, b or c?`, or nothing where there is none. */
export function didYouMean(text: string, names: Iterable<string>): string {
  const near = nearestNames(text, names);
  if (near.length === 0) return "";
  const last = near.pop()!;
  return `: did you mean ${near.length === 0 ? last : `${near.join(", ")} or ${last}`}?`;
}

/** Letters added, left out, changed or swapped with their neighbour; more than `limit` where it is more. */
function editDistance(a: string, b: string, limit: number): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = a[i - 1] === b[j - 1] ? 0 : 1;
      row[j] = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + changed);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        row[j] = Math.min(row[j], before[j - 2] + 1);
      }
    }
    if (Math.min(...row) > limit) return limit + 1;
    before = last;
    last = row;
  }
  return last[b.length];
}
