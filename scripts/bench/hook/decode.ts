/** Decodes the trace in the file named by the first argument; prints entries, distinct PCs and the best time in seconds. */
import { readFileSync } from "node:fs";
import process from "node:process";
import { decodePcs } from "../../../src/kcov/decode_pcs.ts";

const bytes = new Uint8Array(readFileSync(process.argv[2]));
const halves = new Uint32Array(bytes.buffer);
const words = halves.length / 2;
let best = Infinity, distinct = 0;
for (let round = 0; round < 7; round++) {
  const start = performance.now();
  distinct = decodePcs(halves, 0, words).pcs.length;
  best = Math.min(best, performance.now() - start);
}
console.log(`${words} ${distinct} ${best / 1000}`);
