/**
 * Decodes made-up traces of PCs and of comparisons, ten million entries each; prints for both the best time of an entry in
 * nanoseconds, and how many distinct ones there are.
 */
import { ComparisonTally } from "../../../src/kcov/comparisons/comparison_tally.ts";
import { decodePcs } from "../../../src/kcov/decode_pcs.ts";
import { randomNumbers } from "../report/made_up_kernel.ts";

const ENTRIES = 10_000_000;
/** As many as a buffer of 32 MiB holds: the rest is of the next. */
const WINDOW = 1_000_000;
const PLACES = 3000;
const ROUNDS = 5;

/** Code runs in stretches: a place, then those behind it; hot ones more often. */
function places(random: () => number): Uint32Array {
  const found = new Uint32Array(WINDOW);
  for (let at = 0; at < WINDOW;) {
    const first = Math.floor(PLACES * random() ** 3);
    const length = 1 + Math.floor(random() * 40);
    for (let i = 0; i < length && at < WINDOW; i++) found[at++] = (first + i) % PLACES;
  }
  return found;
}

const random = randomNumbers(7);
const order = places(random);
const pcs = new Uint32Array(2 * (WINDOW + 1));
const comparisons = new Uint32Array(2 + 8 * WINDOW);
for (let at = 0; at < WINDOW; at++) {
  const place = order[at];
  pcs[2 * at + 2] = 0x8100_0000 + place * 23;
  pcs[2 * at + 3] = 0xffff_ffff;
  const to = 2 + 8 * at;
  // Half compare with a constant; a twentieth of the others counts up or compares addresses.
  const isConstant = place % 2 === 0;
  comparisons[to] = (isConstant ? 1 : 0) | (place % 4) << 1;
  comparisons[to + 2] = isConstant
    ? place % 7
    : Math.floor(random() * (place % 20 === 1 ? 5000 : 4));
  comparisons[to + 4] = Math.floor(random() * 3);
  comparisons[to + 6] = 0x8100_0000 + place * 23;
  comparisons[to + 7] = 0xffff_ffff;
}

let ofPcs = Infinity, ofComparisons = Infinity, distinctPcs = 0, distinctPairs = 0;
const tally = new ComparisonTally();
for (let round = 0; round < ROUNDS; round++) {
  let start = performance.now();
  for (let done = 0; done < ENTRIES; done += WINDOW) {
    distinctPcs = decodePcs(pcs, 1, 1 + WINDOW).pcs.length;
  }
  ofPcs = Math.min(ofPcs, performance.now() - start);
  start = performance.now();
  for (let done = 0; done < ENTRIES; done += WINDOW) {
    tally.addTrace(comparisons, 0, WINDOW, false);
    distinctPairs = tally.take().first.length;
  }
  ofComparisons = Math.min(ofComparisons, performance.now() - start);
}
const each = (ms: number): string => (ms * 1e6 / ENTRIES).toFixed(1);
console.log(`${each(ofPcs)} ${distinctPcs} ${each(ofComparisons)} ${distinctPairs}`);
