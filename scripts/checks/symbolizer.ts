/**
 * Compares the frames of every coverage point of images, of addresses between them, and of addresses at random in each
 * section of code, with those of `llvm-symbolizer --inlines`, and prints the differences, columns excepted.
 *
 *   npm run check:symbolizer -- IMAGE… [--between N] [--random N] [--show N] [--write]
 *
 * `--write` puts the table into docs/accuracy.md. Exit status 1 where anything differs, but for addresses that
 * llvm-symbolizer names by a symbol of another section: kernelcov names them by none.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { markdownTable, writeAccuracy } from "./accuracy_document.ts";
import { formatAddress } from "../../src/base/address.ts";
import { framesOfAddresses } from "../../src/symbolize/lookup/address_frames.ts";
import type { Frame } from "../../src/symbolize/index/image_index.ts";
import { codeSections } from "../../src/elf/code_sections.ts";
import type { ElfFile } from "../../src/elf/elf_file.ts";
import type { ElfSection } from "../../src/elf/sections.ts";
import { UNKNOWN } from "../../src/elf/symbol_names.ts";
import { loadImageIndex } from "../../src/symbolize/index/load_index.ts";
import { OpenImage } from "../../src/kernel/image/open_image.ts";
import { type FrameColumns, framesAt } from "../../src/symbolize/lookup/point_frames.ts";

/** What differs: the number of frames, a name, a path or line; or only that the address is in no symbol's section. */
type Difference = "frames" | "name" | "place" | "unnamed";

/** The image that llvm-symbolizer reads, and where it has what lies at an address of ours. */
interface Judge {
  readonly path: string;
  readonly address: (address: number) => number;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    between: { type: "string", default: "20000" },
    random: { type: "string", default: "20000" },
    show: { type: "string", default: "20" },
    write: { type: "boolean", default: false },
  },
});
if (positionals.length === 0) throw new TypeError("Missing operand: name an image to compare");
const folder = mkdtempSync(join(tmpdir(), "kernelcov-compare-"));
const rows: string[][] = [
  ["image", "addresses", "compared", "frames differ", "names differ", "places differ", "unnamed"],
];
try {
  let differing = 0;
  for (const image of positionals) differing += await compareImage(image);
  if (values.write) writeAccuracy("symbolizer", markdownTable(rows));
  process.exitCode = differing === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}

async function compareImage(image: string): Promise<number> {
  using opened = new OpenImage(image);
  const index = await loadImageIndex(image, { cacheFolder: null });
  for (const problem of index.problems) console.log(`problem: ${problem}`);
  const points = Array.from(index.allPointOffsets, (offset) => index.base + offset);
  const others = addressesBetween(points, Number(values.between));
  const judge = opened.elf.isModule
    ? linkedForJudge(opened)
    : { path: image, address: (address: number) => address };
  const named = `${basename(image)}, ${opened.elf.header.machine.name}`;
  let differing = 0;
  if (points.length > 0) differing += compare(named, "coverage points", points, index, judge);
  const samples: [string, number[]][] = [["between points", others]];
  for (const section of codeSections(opened.elf)) {
    const sample = addressesIn(section, Number(values.random), opened.elf);
    samples.push([`at random in \`${section.name}\``, sample]);
  }
  for (const [what, addresses] of samples) {
    if (addresses.length === 0) continue;
    const columns = framesOfAddresses(opened, Float64Array.from(addresses));
    differing += compare(named, what, addresses, columns, judge);
  }
  return differing;
}

/** Addresses at random in a section, at most as many as it has instructions of the smallest size; ascending. */
function addressesIn({ address, size }: ElfSection, count: number, elf: ElfFile): number[] {
  const step = elf.header.machine.name === "x86-64" ? 1 : 4;
  const places = Math.floor(size / step);
  let seed = 1;
  const addresses = new Set<number>();
  for (let left = Math.min(count, places); left > 0; left--) {
    seed = Math.imul(seed, 0x19660d) + 0x3c6ef35f | 0;
    addresses.add(address + Math.floor((seed >>> 0) / 2 ** 32 * places) * step);
  }
  return [...addresses].sort((a, b) => a - b);
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
  const options = [
    "-static",
    "--no-relax",
    "--noinhibit-exec",
    "--unresolved-symbols=ignore-all",
    "-e",
    "0",
  ];
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
  image: string,
  what: string,
  addresses: readonly number[],
  columns: FrameColumns,
  judge: Judge,
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
  const counts: Record<Difference, number> = { frames: 0, name: 0, place: 0, unnamed: 0 };
  let frames = 0, shown = 0;
  for (let at = 0; at < addresses.length; at++) {
    const found = framesAt(columns, at);
    frames += found.length;
    const lines = expected[at].split("\n");
    const difference = differenceOf(found, lines);
    if (difference === undefined) continue;
    counts[difference]++;
    if (difference === "unnamed" || shown++ >= Number(values.show)) continue;
    console.log(`${formatAddress(addresses[at])}: ${difference} differ`);
    console.log(`  llvm-symbolizer: ${lines.join(" ")}`);
    console.log(
      `  kernelcov:       ${found.map((f) => `${f.symbol} ${f.path}:${f.line}`).join(" ")}`,
    );
  }
  const total = counts.frames + counts.name + counts.place;
  console.log(
    `${image}, ${what}: ${addresses.length}, frames: ${frames}, different: ${total} (frames ${counts.frames}, ` +
      `names ${counts.name}, places ${counts.place}), in no symbol's section: ${counts.unnamed}`,
  );
  const numbers = [addresses.length, counts.frames, counts.name, counts.place, counts.unnamed];
  rows.push([image, what, ...numbers.map((number) => number.toLocaleString("en"))]);
  return total;
}

function differenceOf(found: readonly Frame[], lines: readonly string[]): Difference | undefined {
  if (lines.length !== found.length * 2) return "frames";
  let isUnnamed = false;
  for (let at = 0; at < found.length; at++) {
    const { symbol, path, line } = found[at];
    // llvm-symbolizer of Debian 12 takes RISC-V's mapping symbols for functions: it does not say which one it is then.
    if (lines[2 * at] !== symbol && !/^\$[xd]/.test(lines[2 * at])) {
      // The section has no symbol of its own there.
      if (symbol !== UNKNOWN || at + 1 < found.length) return "name";
      isUnnamed = true;
    }
    const place = lines[2 * at + 1].replace(/:\d+$/, "");
    // Of a symbol that names its file llvm-symbolizer gives that too.
    if (place !== `${path}:${line}` && !(isUnnamed && path === UNKNOWN)) return "place";
  }
  return isUnnamed ? "unnamed" : undefined;
}
