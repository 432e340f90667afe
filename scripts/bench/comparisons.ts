/**
 * What decoding comparisons costs beside decoding PCs, for an entry, in both runtimes. A comparison is four words.
 *
 * Usage: `npm run bench -- comparisons`
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { noteRow } from "./bench_row.ts";

const PROGRAM = join(import.meta.dirname!, "comparisons/decode.ts");

for (const [runtime, ...args] of [["deno", "run", "-A", "--no-check"], ["bun"]]) {
  const line = execFileSync(runtime!, [...args, PROGRAM], { encoding: "utf8" });
  const [pcs, distinct, comparisons, pairs] = line.trim().split(" ").map(Number);
  console.log(
    `${
      runtime!.padEnd(5)
    } PCs ${pcs} ns each (${distinct} distinct), comparisons ${comparisons} ns each ` +
      `(${pairs} pairs), ${(comparisons! / pcs!).toFixed(1)} times`,
  );
  noteRow({
    what: `decoding a comparison, ${runtime}`,
    figure: `${comparisons!.toFixed(1)} ns`,
    peer: `a PC ${pcs!.toFixed(1)} ns`,
    ratio: (comparisons! / pcs!).toFixed(2),
  });
}
