import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { elfFileOf } from "../../../src/elf/elf_file.ts";
import type { ElfFile } from "../../../src/elf/elf_file.ts";
import type { ElfSection } from "../../../src/elf/sections.ts";
import { debugSections } from "../../../src/kernel/image/debug_image.ts";
import { readUnitHeaders } from "../../../src/dwarf/unit_headers.ts";
import { inflate } from "../../../src/kernel/image/inflate.ts";
import type { Random, Target } from "./mutations.ts";

/** An image to start from. */
export interface Seed {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly targets: readonly Target[];
  /** Made anew by each case from a large image; see {@linkcode sliceKernel}. */
  readonly isKernel: boolean;
}

const CLANG = fileURLToPath(new URL("../../../tests/data/clang/", import.meta.url));
const CALLBACK = "void __sanitizer_cov_trace_pc(void) {}\n";
const VARIANTS: Readonly<Record<string, readonly string[]>> = {
  "gcc-dwarf5": ["-gdwarf-5"],
  "gcc-dwarf4": ["-gdwarf-4"],
  "gcc-dwarf64": ["-gdwarf-5", "-gdwarf64"],
  "gcc-zlib": ["-gdwarf-5", "-gz=zlib"],
  "gcc-ranges": ["-gdwarf-5", "-ffunction-sections", "-freorder-blocks-and-partition"],
  "gcc-lto": ["-gdwarf-5", "-flto"],
};

/** Images of gcc, linked and not, and those of clang: 4 to 20 KB each. */
export function smallSeeds(): Seed[] {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-fuzz-"));
  const seeds: Seed[] = [];
  try {
    writeFileSync(join(folder, "callback.c"), CALLBACK);
    for (const [name, options] of Object.entries(VARIANTS)) {
      const image = join(folder, name), object = `${image}.o`;
      const common = ["-O2", "-ffreestanding", "-nostdlib", "-fno-pic", ...options];
      const cov = "-fsanitize-coverage=trace-pc";
      gcc([...common, "-c", "-o", `${folder}/callback.o`, `${folder}/callback.c`]);
      gcc([...common, cov, "-c", "-o", object, `${CLANG}move.c`]);
      gcc([...common, cov, "-c", "-o", `${folder}/find.o`, `${CLANG}find.c`]);
      const parts = [`${folder}/callback.o`, object, `${folder}/find.o`];
      gcc([...common, "-no-pie", "-static", "-Wl,-e,0,--build-id", "-o", image, ...parts]);
      seeds.push(seedOf(name, image));
      if (name !== "gcc-lto") seeds.push(seedOf(`${name}.o`, object));
    }
    for (const name of readdirSync(CLANG)) {
      if (!name.includes(".")) seeds.push(seedOf(`clang-${name}`, CLANG + name));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return seeds;
}

function gcc(options: string[]): void {
  const run = spawnSync("gcc", options, { encoding: "utf8" });
  if (run.status !== 0) throw new TypeError(`gcc ${options.join(" ")} failed: ${run.stderr}`);
}

function seedOf(name: string, path: string): Seed {
  const bytes = new Uint8Array(readFileSync(path));
  const elf = elfFileOf(bytes, inflate);
  return { name, bytes, targets: targetsOf(elf, bytes), isKernel: false };
}

/** The headers, and the sections that are read. */
function targetsOf(elf: ElfFile, bytes: Uint8Array): Target[] {
  const read = elf.sections.filter((section) =>
    section.fileSize > 0 && /^\.(text|debug|rela|note|symtab|strtab|shstrtab)/.test(section.name)
  );
  return [
    { offset: 0, size: 64 },
    { offset: sectionTable(bytes).offset, size: sectionTable(bytes).size },
    ...read.map((section) => ({ offset: section.fileOffset, size: section.fileSize })),
  ];
}

/** The image of a kernel, to be sliced. */
export function kernelSeed(path: string): Seed {
  return { name: "kernel", bytes: new Uint8Array(readFileSync(path)), targets: [], isKernel: true };
}

/** What {@linkcode sliceKernel} knows of a kernel. */
export interface KernelParts {
  readonly elf: ElfFile;
  readonly units: readonly {
    readonly offset: number;
    readonly end: number;
    readonly abbrevOffset: number;
  }[];
}

export function kernelParts(seed: Seed): KernelParts {
  const elf = elfFileOf(seed.bytes, inflate);
  return { elf, units: readUnitHeaders(debugSections(elf).info, []) };
}

/**
 * Cuts a few units out of a kernel by rewriting section headers only: `.debug_info` and `.text` shrink, the tables that
 * they refer to stay whole. So a case costs milliseconds although its image has all a kernel's tables.
 */
export function sliceKernel(
  seed: Seed,
  { elf, units }: KernelParts,
  random: Random,
  save: (offset: number, size: number) => void,
): Target[] {
  const first = random.below(units.length),
    last = Math.min(units.length - 1, first + random.below(3));
  const view = new DataView(seed.bytes.buffer);
  const table = sectionTable(seed.bytes);
  save(table.offset, table.size);
  const header = (section: ElfSection): number => table.offset + section.index * 64;
  const info = required(elf, ".debug_info"), text = required(elf, ".text");
  const abbrev = required(elf, ".debug_abbrev"), line = required(elf, ".debug_line");
  const start = units[first].offset, end = units[last].end;
  view.setBigUint64(header(info) + 24, BigInt(info.fileOffset + start), true);
  view.setBigUint64(header(info) + 32, BigInt(end - start), true);
  // Without the table of all units' ranges the units themselves are asked.
  const aranges = elf.section(".debug_aranges");
  if (aranges !== undefined) view.setBigUint64(header(aranges) + 32, 0n, true);
  const code = Math.min(text.fileSize, 1 << 18);
  // Neighbouring units have neighbouring code, so the piece at the same place in .text is near theirs.
  const codeStart = Math.max(
    0,
    Math.min(text.fileSize - code, Math.floor(text.fileSize * first / units.length) - (code >> 1)),
  );
  view.setBigUint64(header(text) + 16, BigInt(text.address + codeStart), true);
  view.setBigUint64(header(text) + 24, BigInt(text.fileOffset + codeStart), true);
  view.setBigUint64(header(text) + 32, BigInt(code), true);
  const lineStart = Math.floor(line.fileSize * first / units.length);
  return [
    { offset: 0, size: 64 },
    { offset: table.offset, size: table.size },
    { offset: info.fileOffset + start, size: end - start },
    { offset: info.fileOffset + start, size: Math.min(256, end - start) },
    {
      offset: abbrev.fileOffset + units[first].abbrevOffset,
      size: Math.min(2048, abbrev.fileSize - units[first].abbrevOffset),
    },
    { offset: line.fileOffset + lineStart, size: Math.min(1 << 15, line.fileSize - lineStart) },
  ];
}

function required(elf: ElfFile, name: string): ElfSection {
  const section = elf.section(name);
  if (section === undefined) {
    throw new TypeError(`The kernel has no ${name}: use one with debug information`);
  }
  return section;
}

/** Where the section headers are: e_shoff, e_shnum. */
function sectionTable(bytes: Uint8Array): Target {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return { offset: Number(view.getBigUint64(40, true)), size: view.getUint16(60, true) * 64 };
}
