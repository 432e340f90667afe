/**
 * Compares the frames of every coverage point of an image, and of addresses between them, with those of
 * `llvm-symbolizer --inlines`, and prints the differences, columns excepted.
 *
 *   npm run check:symbolizer -- IMAGE [--between N] [--show N]
 *
 * Exit status 1 where anything differs.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { formatAddress } from "../../src/base/address.ts";
import { framesOfAddresses } from "../../src/symbolize/lookup/address_frames.ts";
import type { Frame } from "../../src/symbolize/index/image_index.ts";
import { codeSections } from "../../src/elf/code_sections.ts";
import { loadImageIndex } from "../../src/symbolize/index/load_index.ts";
import { OpenImage } from "../../src/kernel/image/open_image.ts";
import { type FrameColumns, framesAt } from "../../src/symbolize/lookup/point_frames.ts";

/** What differs: the number of frames, a name, a path or line. */
type Difference = "frames" | "name" | "place";

/** The image that llvm-symbolizer reads, and where it has what lies at an address of ours. */
interface Judge {
  readonly path: string;
  readonly address: (address: number) => number;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    between: { type: "string", default: "20000" },
    show: { type: "string", default: "20" },
  },
});
const path = positionals[0];
if (path === undefined) throw new TypeError("Missing operand: name an image to compare");
const folder = mkdtempSync(join(tmpdir(), "kernelcov-compare-"));
try {
  process.exitCode = await compareImage(path, Number(values.between), Number(values.show)) === 0
    ? 0
    : 1;
} finally {
  rmSync(folder, { recursive: true });
}

async function compareImage(image: string, between: number, show: number): Promise<number> {
  using opened = new OpenImage(image);
  const index = await loadImageIndex(image, { cacheFolder: null });
  for (const problem of index.problems) console.log(`problem: ${problem}`);
  const points = Array.from(index.allPointOffsets, (offset) => index.base + offset);
  const others = addressesBetween(points, between);
  const lazy = framesOfAddresses(opened, Float64Array.from(others));
  const judge = opened.elf.isModule
    ? linkedForJudge(opened)
    : { path: image, address: (address: number) => address };
  return compare("coverage points", points, index, judge, show) +
    compare("addresses between points", others, lazy, judge, show);
}

/** Addresses spread over the code that are no points, ascending. */
function addressesBetween(points: readonly number[], count: number): number[] {
  const step = Math.max(1, Math.floor(points.length / count));
  const addresses = new Set<number>();
  for (let at = 0; at + 1 < points.length; at += step) {
    addresses.add(points[at] + Math.floor((points[at + 1] - points[at]) / 2));
  }
  return [...addresses].sort((a, b) => a - b);
}

/**
 * What llvm-symbolizer is given for a module: the module linked by `ld`, since llvm-symbolizer neither relocates
 * `.debug_aranges` nor tells sections apart that all begin at 0. That also checks the relocation here.
 */
function linkedForJudge(module: OpenImage): Judge {
  const copy = join(folder, "linked"), script = join(folder, "script");
  // Each section of code by itself: by default ld puts .text.unlikely into .text.
  const names = new Set(codeSections(module.elf).map(({ name }) => name));
  const places = [...names].map((name) => `"${name}" : { *("${name}") }\n`).join("");
  writeFileSync(script, `SECTIONS { . = 0x10000000;\n${places}}\n`);
  const options = ["-static", "--noinhibit-exec", "--unresolved-symbols=ignore-all", "-e", "0"];
  const ld = `${module.elf.header.machine.unameName}-linux-gnu-ld`;
  const run = spawnSync(ld, [...options, "-T", script, module.path, "-o", copy]);
  if (run.status !== 0) {
    throw new TypeError(
      `Cannot link ${module.path} with ${ld}: install binutils of its architecture`,
    );
  }
  using linked = new OpenImage(copy);
  const sections = codeSections(module.elf).map(({ name, address, size }) => ({
    from: address,
    to: address + size,
    shift: (linked.elf.section(name)?.address ?? 0) - address,
  }));
  return {
    path: copy,
    address: (address) =>
      address + (sections.find(({ from, to }) => address >= from && address < to)?.shift ?? 0),
  };
}

function compare(
  what: string,
  addresses: readonly number[],
  columns: FrameColumns,
  judge: Judge,
  show: number,
): number {
  const input = join(folder, "addresses"), output = join(folder, "frames");
  writeFileSync(
    input,
    addresses.map((address) => `${formatAddress(judge.address(address))}\n`).join(""),
  );
  const run = spawnSync("sh", [
    "-c",
    `llvm-symbolizer --inlines -e "$1" <"$2" >"$3"`,
    "sh",
    judge.path,
    input,
    output,
  ]);
  if (run.status !== 0) throw new TypeError("Cannot run llvm-symbolizer: install llvm");
  const expected = readFileSync(output, "utf8").split("\n\n");
  const counts: Record<Difference, number> = { frames: 0, name: 0, place: 0 };
  let frames = 0, shown = 0;
  for (let at = 0; at < addresses.length; at++) {
    const found = framesAt(columns, at);
    frames += found.length;
    const lines = expected[at].split("\n");
    const difference = differenceOf(found, lines);
    if (difference === undefined) continue;
    counts[difference]++;
    if (shown++ >= show) continue;
    console.log(`${formatAddress(addresses[at])}: ${difference} differ`);
    console.log(`  llvm-symbolizer: ${lines.join(" ")}`);
    console.log(
      `  kernelcov:       ${found.map((f) => `${f.symbol} ${f.path}:${f.line}`).join(" ")}`,
    );
  }
  const total = counts.frames + counts.name + counts.place;
  console.log(
    `${what}: ${addresses.length}, frames: ${frames}, different: ${total} ` +
      `(frames ${counts.frames}, names ${counts.name}, places ${counts.place})`,
  );
  return total;
}

function differenceOf(found: readonly Frame[], lines: readonly string[]): Difference | undefined {
  if (lines.length !== found.length * 2) return "frames";
  for (let at = 0; at < found.length; at++) {
    const frame = found[at];
    if (lines[2 * at] !== frame.symbol) return "name";
    if (lines[2 * at + 1].replace(/:\d+$/, "") !== `${frame.path}:${frame.line}`) return "place";
  }
  return undefined;
}
