/**
 * Decodes made-up traces of PCs and of comparisons, ten million entries each; prints for both the best time of an entry in
 * nanoseconds, and how many distinct ones there are.
 */
import { ComparisonTally } from "../../../src/kcov/comparisons/comparison_tally.ts";
import { decodePcs } from "../../../src/kcov/decode_pcs.ts";
import { randomNumbers } from "../report/made_up_kernel.ts";

const ENTRIES = 10_000_000;
/** Of which so many differ: ten times over, they are one test's. */
const WINDOW = 1_000_000;
const PLACES = 3000;
const CALLS = 100;
const ROUNDS = 5;

const random = randomNumbers(7);
const pick = (below: number): number => Math.floor(random() * below);

/** What a system call compares: places in the order in which it comes to them, with the operands that it mostly has. */
interface Call {
  readonly place: Uint32Array;
  readonly first: Uint32Array;
  readonly second: Uint32Array;
}

function madeUpCall(): Call {
  const length = 50 + pick(500);
  const place = new Uint32Array(length);
  for (let at = 0; at < length;) {
    const from = pick(PLACES), stretch = 1 + pick(30);
    for (let i = 0; i < stretch && at < length; i++) place[at++] = (from + i) % PLACES;
  }
  return {
    place,
    first: place.map((one) => one % 7),
    second: place.map(() => pick(2)),
  };
}

// Programs make some calls often and most seldom; one place in 25 compares addresses, others each time.
const calls = Array.from({ length: CALLS }, madeUpCall);
const pcs = new Uint32Array(2 * (WINDOW + 1));
const comparisons = new Uint32Array(2 + 8 * WINDOW);
for (let at = 0; at < WINDOW;) {
  const { place, first, second } = calls[Math.floor(CALLS * random() ** 3)];
  for (let i = 0; i < place.length && at < WINDOW; i++, at++) {
    const low = 0x8100_0000 + place[i] * 23, to = 2 + 8 * at;
    pcs.set([low, 0xffff_ffff], 2 * at + 2);
    const type = (place[i] % 2 === 0 ? 1 : 0) | (place[i] % 4) << 1;
    const other = place[i] % 25 === 1 ? pick(5000) : second[i];
    comparisons.set([type, 0, first[i], 0, other, 0, low, 0xffff_ffff], to);
  }
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
  }
  distinctPairs = tally.take().first.length;
  ofComparisons = Math.min(ofComparisons, performance.now() - start);
}
const each = (ms: number): string => (ms * 1e6 / ENTRIES).toFixed(1);
console.log(`${each(ofPcs)} ${distinctPcs} ${each(ofComparisons)} ${distinctPairs}`);
