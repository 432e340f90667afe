/**
 * Compiles a part of the embedded kernel with Debian's clang and compares the frames of all its coverage points with
 * llvm-symbolizer's: DWARF 5 with its strx, addrx and rnglistx forms, DWARF 4, link-time optimization (inlined calls from
 * other units), linked and as objects with relocations. Prints the differences; fails where there is one.
 *
 *   apt-get install -y --no-install-recommends clang-14 lld-14 llvm-14
 *   npm run check:clang [-- FILE.o …]                 bun scripts/checks/clang.ts [FILE.o …]
 */
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { basename, join } from "node:path";
import process from "node:process";
import { elfFileOf } from "../../src/elf/elf_file.ts";
import { KcovUnavailableError } from "../../src/errors.ts";
import { codeSections } from "../../src/elf/code_sections.ts";
import { buildImageIndex } from "../../src/symbolize/index/build_image_index.ts";
import { framesAt } from "../../src/symbolize/lookup/point_frames.ts";
import { cacheFolder, RECIPE_FOLDER } from "../../src/build/kernel_folder.ts";
import { unpackSource } from "../../src/build/kernel_source.ts";

const OBJECTS = [
  "fs/pipe.o",
  "fs/namei.o",
  "fs/eventpoll.o",
  "mm/shmem.o",
  "mm/memory.o",
  "net/socket.o",
].concat(
  [
    "net/unix/af_unix.o",
    "net/ipv4/tcp.o",
    "net/core/skbuff.o",
    "lib/vsprintf.o",
    "kernel/fork.o",
    "kernel/bpf/verifier.o",
  ],
);
const TOOLS = ["CC=clang-14", "LD=ld.lld-14", "HOSTCC=gcc"].concat(
  ["AR", "NM", "STRIP", "OBJCOPY", "OBJDUMP", "READELF"].map((tool) =>
    `${tool}=llvm-${tool.toLowerCase()}-14`
  ),
);
const DIFFERENCES_SHOWN = 5;

interface Variant {
  readonly name: string;
  readonly options: string;
  readonly isLto?: boolean;
}

const VARIANTS: readonly Variant[] = [
  { name: "dwarf5", options: "-gdwarf-5" },
  { name: "dwarf4", options: "-gdwarf-4" },
  { name: "lto", options: "-gdwarf-5", isLto: true },
];

for (const tool of ["clang-14", "ld.lld-14", "llvm-symbolizer-14"]) {
  if (spawnSync(tool, ["--version"]).status === 0) continue;
  throw new KcovUnavailableError(
    "not-built-in",
    `${tool} is missing: apt-get install clang-14 lld-14 llvm-14`,
  );
}
const objects = process.argv.length > 2 ? process.argv.slice(2) : OBJECTS;
const source = join(cacheFolder(), "clang_check", "source");
const work = mkdtempSync(join(tmpdir(), "kernelcov-clang-"));
try {
  process.exitCode = await checkVariants() === 0 ? 0 : 1;
} finally {
  rmSync(work, { recursive: true });
}

async function checkVariants(): Promise<number> {
  if (!existsSync(source)) {
    mkdirSync(join(source, ".."), { recursive: true });
    await unpackSource(source);
  }
  run("make", ["-s", "ARCH=um", ...TOOLS, "allnoconfig"], {
    KCONFIG_ALLCONFIG: join(RECIPE_FOLDER, "config"),
  });
  writeFileSync(
    join(work, "callback.s"),
    ".globl __sanitizer_cov_trace_pc\n__sanitizer_cov_trace_pc: ret\n",
  );
  run("clang-14", ["-c", "-o", join(work, "callback.o"), join(work, "callback.s")]);
  let different = 0;
  for (const variant of VARIANTS) {
    compile(variant);
    different += compare(variant.name, link(variant), false);
    if (variant.isLto) continue;
    for (const object of objects) {
      const copy = join(work, `${variant.name}-${basename(object)}`);
      copyFileSync(join(source, object), copy);
      different += compare(`${variant.name} ${object}`, copy, true);
    }
  }
  console.log(different === 0 ? "All frames are equal" : `${different} points differ`);
  return different;
}

function compile({ options, isLto }: Variant): void {
  // kbuild's option for one object: the whole kernel with -flto would also need its configuration.
  const perObject = isLto ? objects.map((object) => `CFLAGS_${basename(object)}=-flto`) : [];
  const common = [
    "-s",
    "ARCH=um",
    `-j${availableParallelism()}`,
    ...TOOLS,
    `KCFLAGS=-mcmodel=small -w ${options}`,
  ];
  run("make", [...common, ...perObject, ...objects]);
}

/** Links the objects at a kernel's address. Most of the functions that they call are missing, which is no matter. */
function link({ name, isLto }: Variant): string {
  const image = join(work, name), parts = objects.map((object) => join(source, object));
  let inputs = [join(work, "callback.o"), ...parts];
  if (isLto) {
    // A relocatable link keeps functions that nothing calls.
    const whole = join(work, "whole.o");
    run("ld.lld-14", ["-r", "-mllvm", "-code-model=small", "-o", whole, ...inputs]);
    inputs = [whole];
  }
  const options = ["-Ttext=0x60000000", "--build-id", "-e", "0", "--unresolved-symbols=ignore-all"];
  run("ld.lld-14", [...options, "-o", image, ...inputs]);
  return image;
}

/**
 * Compares the frames of all points and prints the first that differ. In an object each section is at address 0 for
 * llvm-symbolizer, so there it is only asked for functions of `.text` behind the end of all other code, and for names it
 * has to use the debug information alone.
 */
function compare(title: string, image: string, isObject: boolean): number {
  const elf = elfFileOf(readFileSync(image));
  const index = buildImageIndex(elf);
  const text = elf.section(".text");
  if (text === undefined) throw new TypeError(`${image} has no .text: name objects with code`);
  const others = codeSections(elf).filter((section) => section.name !== ".text");
  const otherCode = Math.max(0, ...others.map((section) => section.size));
  // Whole functions only: one that others overlap in part, llvm-symbolizer does not know in its other part either.
  const starts = Array.from(index.symbols.address, (start) => index.base + start - text.address);
  const clear = Math.min(...starts.filter((start) => start >= otherCode));
  const points = Array.from(index.allPointOffsets, (_, point) => point).filter((point) => {
    const offset = index.base + index.allPointOffsets[point] - text.address;
    return !isObject || offset >= clear && offset < text.size;
  });
  const asked = points.map((point) =>
    `0x${(index.base + index.allPointOffsets[point] - (isObject ? text.address : 0)).toString(16)}`
  );
  const functions = isObject ? "short" : "linkage";
  writeFileSync(join(work, "addresses"), asked.join("\n"));
  // From a file: a runtime may write a long text whole to a pipe before it reads any of the answer.
  const command = `exec llvm-symbolizer-14 --inlines --functions=${functions} --obj="$1" <"$0"`;
  const told = run("sh", ["-c", command, join(work, "addresses"), image]).trimEnd().split("\n\n");
  let different = 0;
  points.forEach((point, at) => {
    const ours = framesAt(index, point).map((frame) =>
      `${isObject ? frame.function : frame.symbol}\n${frame.path}:${frame.line}`
    ).join("\n");
    const theirs = (told[at] ?? "").replace(/:\d+$/gm, "");
    if (ours === theirs) return;
    if (++different <= DIFFERENCES_SHOWN) {
      console.log(`${title} ${asked[at]}:\n${ours}\ninstead of\n${theirs}`);
    }
  });
  console.log(
    `${title}: ${points.length} of ${index.allPointOffsets.length} points, ${different} different, ${index.problems.length} problems`,
  );
  for (const problem of index.problems) console.log(problem);
  return different + index.problems.length;
}

/** Runs a command in the source's folder and returns what it prints. */
function run(
  command: string,
  args: readonly string[],
  env: Record<string, string> = {},
): string {
  const { ARCH: _1, CROSS_COMPILE: _2, MAKEFLAGS: _3, ...inherited } = process.env;
  const result = spawnSync(command, args, {
    cwd: source,
    env: { ...inherited, LC_ALL: "C", ...env },
    encoding: "utf8",
    maxBuffer: 1 << 30,
  });
  if (result.status === 0) return result.stdout;
  const last = `${result.stderr ?? result.error}`.trim().split("\n").slice(-8).join("\n");
  throw new KcovUnavailableError(
    "not-built-in",
    `${command} ${args.join(" ")} failed: see its errors\n${last}`,
  );
}
