/** What a mutant did to the suite, and what was said before. */
export interface MutantResult {
  /** Names of the tests that fail with it and not without it. */
  readonly failing: readonly string[];
  /** All tests: those that were selected first, best first, and then the others. */
  readonly order: readonly string[];
  /** How many of them were selected. */
  readonly selected: number;
}

/** Failing tests that were not selected. */
export function missed({ failing, order, selected }: MutantResult): string[] {
  const chosen = new Set(order.slice(0, selected));
  return failing.filter((name) => !chosen.has(name));
}

/** Share of the failing tests that were selected. */
export function recall(result: MutantResult): number {
  return 1 - missed(result).length / result.failing.length;
}

/** Share of the suite that was selected. */
export function share({ order, selected }: MutantResult): number {
  return selected / order.length;
}

/**
 * Average percentage of faults detected, of one fault: 1 where the very first of many tests finds it, and near 0 where only
 * the last one does.
 */
export function apfd({ failing, order }: MutantResult): number {
  const names = new Set(failing);
  const first = order.findIndex((name) => names.has(name)) + 1;
  return first === 0 ? 0 : 1 - first / order.length + 1 / (2 * order.length);
}

/** The APFD that an order at random has on average. */
export function randomApfd({ failing, order }: MutantResult): number {
  const first = (order.length + 1) / (failing.length + 1);
  return 1 - first / order.length + 1 / (2 * order.length);
}

/** The mean of numbers; `undefined` of none. */
export function mean(numbers: readonly number[]): number | undefined {
  return numbers.length === 0
    ? undefined
    : numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}
