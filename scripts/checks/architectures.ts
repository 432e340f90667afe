/**
 * Compares coverage points with the calls in objdump's listing, and the frames of these and of addresses between them with
 * llvm-symbolizer's. For x86-64 of the embedded kernel; for other architectures of some objects of Debian's 6.12 with KCOV,
 * which are read as modules are and relocated here, and with `--whole` of the kernels that make links of such objects. Exit
 * status 1 where anything differs.
 *
 *   apt-get install -y --no-install-recommends linux-source-6.12 llvm gcc-aarch64-linux-gnu gcc-riscv64-linux-gnu
 *   npm run check:architectures [-- x86_64 arm64 riscv --whole]
 *   npm run check:architectures -- arm64 --image FILE…        a kernel or module of yours instead
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { buildEmbeddedKernel } from "../../src/build/build_kernel.ts";
import { cacheFolder } from "../../src/build/kernel_folder.ts";
import { makeEnvironment } from "../../src/build/kernel_make.ts";
import { formatAddress, parseAddress } from "../../src/base/address.ts";
import { codeSections } from "../../src/elf/code_sections.ts";
import { OpenImage } from "../../src/kernel/image/open_image.ts";
import { scanSection } from "../../src/points/scan.ts";
import { debianTree } from "./debian_tree.ts";

/** Prefixes of the cross compilers, by the kernel's names of architectures. */
const COMPILERS: Readonly<Record<string, string>> = {
  x86_64: "",
  arm64: "aarch64-linux-gnu-",
  riscv: "riscv64-linux-gnu-",
};

const OBJECTS = ["fs/pipe.o", "mm/memory.o", "kernel/fork.o", "net/unix/af_unix.o"];

const OPTIONS = [
  "64BIT=y MMU=y DEBUG_KERNEL=y DEBUG_FS=y DEBUG_INFO_DWARF5=y KCOV=y KCOV_INSTRUMENT_ALL=y",
  "MULTIUSER=y PRINTK=y FUTEX=y EPOLL=y SHMEM=y PROC_FS=y SYSFS=y TMPFS=y BLOCK=y NET=y UNIX=y INET=y",
].flatMap((line) => line.split(" ")).map((option) => `CONFIG_${option}\n`).join("");

const CALLBACK = "__sanitizer_cov_trace_pc";

const SYMBOLIZER = fileURLToPath(new URL("symbolizer.ts", import.meta.url));

const { values: { whole, image: named = [] }, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    whole: { type: "boolean", default: false },
    image: { type: "string", multiple: true },
  },
});
const architectures = positionals.length > 0 ? positionals : Object.keys(COMPILERS);
const TARGETS = [...OBJECTS, ...whole ? ["vmlinux"] : []];
for (const architecture of architectures) {
  const compiler = compilerOf(architecture);
  const images = named.length > 0 ? named : await imagesOf(architecture);
  for (const image of images) comparePoints(image, compiler);
  const { status } = spawnSync(
    process.execPath,
    [...process.execPath.endsWith("deno") ? ["run", "-A"] : [], SYMBOLIZER, ...images],
    { stdio: "inherit" },
  );
  if (status !== 0) process.exitCode = 1;
}

function compilerOf(architecture: string): string {
  const compiler = COMPILERS[architecture];
  if (compiler !== undefined) return compiler;
  const known = Object.keys(COMPILERS).join(", ");
  throw new TypeError(`Unknown architecture "${architecture}": use ${known}`);
}

async function imagesOf(architecture: string): Promise<string[]> {
  if (architecture === "x86_64") return [(await buildEmbeddedKernel()).vmlinux];
  const folder = build(architecture);
  return TARGETS.map((name) => join(folder, name));
}

/** Builds what is compared, or what is missing of it; its folder. */
function build(architecture: string): string {
  const compiler = compilerOf(architecture);
  const folder = join(cacheFolder(), "architectures", architecture);
  mkdirSync(folder, { recursive: true });
  const options = join(folder, "options");
  writeFileSync(options, OPTIONS);
  const make = (...targets: string[]) => {
    const hasCcache = spawnSync("ccache", ["--version"]).status === 0;
    const args = [`O=${folder}`, `ARCH=${architecture}`, `CROSS_COMPILE=${compiler}`, "-s"]
      .concat(hasCcache ? [`CC=ccache ${compiler}gcc`] : [], `-j${availableParallelism()}`);
    const { status } = spawnSync("make", [...args, ...targets], {
      cwd: debianTree("6.12"),
      env: { ...makeEnvironment(), KCONFIG_ALLCONFIG: options },
      stdio: ["ignore", "inherit", "inherit"],
    });
    if (status !== 0) {
      throw new TypeError(
        `The ${architecture} objects were not built: is ${compiler}gcc installed?`,
      );
    }
  };
  make("allnoconfig");
  make(...TARGETS);
  return folder;
}

/** Compares the points of an image with the calls of the callback that objdump shows. */
function comparePoints(image: string, prefix: string): void {
  using opened = new OpenImage(image);
  const { elf } = opened;
  const ours = codeSections(elf).flatMap((section) => {
    const start = elf.isModule ? 0 : section.address;
    return Array.from(
      scanSection(elf, section).offset,
      (offset) => `${section.name} ${formatAddress(start + offset)}`,
    );
  });
  const theirs = new Set(callsOf(image, prefix, elf.isModule)), known = new Set(ours);
  const missing = [...theirs].filter((call) => !known.has(call));
  const extra = ours.filter((point) => !theirs.has(point));
  console.log(
    `${image}, ${elf.header.machine.name}: ${ours.length} points, ${theirs.size} calls in objdump's listing`,
  );
  if (ours.length > 0 && missing.length + extra.length === 0) return;
  process.exitCode = 1;
  console.log(`  no points: ${missing.slice(0, 5)}; no calls: ${extra.slice(0, 5)}`);
}

/** Section and address of each call of the callback, or jump to it, as `.text 0x10`. */
function callsOf(image: string, prefix: string, isModule: boolean): string[] {
  const command = `${prefix}objdump -d ${isModule ? "-r" : ""} --no-show-raw-insn "$0" | ` +
    `grep -e '^Disassembly' -e '${CALLBACK}'`;
  const { stdout, status } = spawnSync("sh", ["-c", command, image], {
    encoding: "utf8",
    maxBuffer: 1 << 30,
  });
  if (status !== 0) throw new TypeError(`${prefix}objdump failed: install binutils of its name`);
  let section = "";
  return stdout.split("\n").flatMap((line) => {
    section = /^Disassembly of section (.*):$/.exec(line)?.[1] ?? section;
    // In a module the relocation tells; that of RISC-V is of the instruction before the jump.
    const [pattern, shift] = !isModule
      ? [
        /^ *([0-9a-f]+):\t(?:call|jmp|bl?|c\.j|j|jalr?|jr)\s.*<(?:__)?__sanitizer_cov_trace_pc(?:_veneer)?>$/,
        0,
      ]
      : prefix.startsWith("riscv")
      ? [/^\t+([0-9a-f]+): R_RISCV_CALL(?:_PLT)?\t__sanitizer_cov_trace_pc$/, 4]
      : [/^\t+([0-9a-f]+): R_AARCH64_(?:CALL|JUMP)26\t__sanitizer_cov_trace_pc$/, 0];
    const address = pattern.exec(line)?.[1];
    if (address === undefined) return [];
    return [`${section} ${formatAddress(parseAddress(address)! + shift)}`];
  });
}
