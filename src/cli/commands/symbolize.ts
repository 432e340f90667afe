import process from "node:process";
import { type Address, formatAddress, parseAddress } from "../../base/address.ts";
import { parsePcText } from "../../base/pc_text.ts";
import { KcovUnavailableError } from "../../errors.ts";
import { codeSections } from "../../elf/code_sections.ts";
import { findKernelImage } from "../../kernel/image/find_kernel_image.ts";
import { runningBuildId } from "../../kernel/image/notes_file.ts";
import { moduleFolders } from "../../kernel/image/find_module_image.ts";
import { KernelSymbolizer } from "../../symbolize/lookup/kernel_symbolizer.ts";
import { OpenImage } from "../../kernel/image/open_image.ts";
import { runningKernelParts } from "../../kernel/running_kernel_parts.ts";
import type { SymbolizedPcs } from "../../symbolize/lookup/symbolized_pcs.ts";
import { symbolizedJson, symbolizedText } from "../../symbolize/lookup/symbolized_text.ts";
import { embeddedKernelPath } from "../../build/build_kernel.ts";
import { kcovAvailability } from "../../kernel/kcov_availability.ts";
import { type Command, parseCommandLine, UsageError, warn } from "../command_line.ts";

/** `kernelcov symbolize`: raw PCs to frames on standard output. */
export const symbolizeCommand: Command = {
  help: `kernelcov symbolize [--image FILE] [--modules DIR] [--json] [PC…]
    Prints the frames of raw PCs, innermost first. The PCs are hexadecimal numbers on the command line, or on standard
    input, one a line. Names and paths are those of llvm-symbolizer --inlines.
    PC              as KCOV writes it: the return address of a coverage call (the call's address + 5 on x86-64, + 4 on
                    arm64), in full 64 bits, without a KASLR offset. The frames are those of the call
    --image FILE    the image of the PCs, with debug information: a vmlinux, or a module, whose PCs are offsets into its
                    .text; by default KERNELCOV_VMLINUX, else the running kernel's, else the embedded kernel's.
                    --vmlinux is the same. For the running kernel, modules are symbolized too, and without an image,
                    functions come from /proc/kallsyms
    --modules DIR   a folder with modules; may be repeated; searched before KERNELCOV_MODULES and the usual places
    --json          one object a line: {"pc": "0x…", "frames": [{"function", "file", "line"}…]}, or "reason"
`,
  run,
};

async function run(args: string[]): Promise<number> {
  const { values, operands, command } = parseCommandLine(args, {
    image: { type: "string" },
    vmlinux: { type: "string" },
    modules: { type: "string", multiple: true },
    json: { type: "boolean" },
  });
  if (values.image !== undefined && values.vmlinux !== undefined) {
    throw new UsageError("--image and --vmlinux are the same: name one image");
  }
  const words = [...operands, ...command];
  const wrong = words.find((word) => parseAddress(word) === undefined);
  if (wrong !== undefined) throw new UsageError(notAPc(wrong));
  const pcs = words.length > 0
    ? Float64Array.from(words, (word) => parseAddress(word)!)
    : parsePcText(await readInput());
  using symbolizer = openSymbolizer(values.image ?? values.vmlinux, values.modules);
  const symbolized = await symbolizer.symbolize(pcs);
  const pieces = values.json ? symbolizedJson(symbolized) : symbolizedText(symbolized);
  for (const piece of pieces) await print(piece);
  const cut = cutPc(symbolized, symbolizer);
  if (cut !== undefined) {
    warn(
      `${formatAddress(cut)} is cut to 32 bits: ${
        formatAddress(cut - 2 ** 32)
      } is in the kernel's code: give all 64 bits`,
    );
  }
  for (const [module, why] of symbolizer.missing) {
    warn(`No image of module ${module}: ${why}`);
  }
  return 0;
}

function notAPc(word: string): string {
  return /^(0x)?[0-9a-f]+$/i.test(word)
    ? `"${word}" cannot be the address of a kernel's code: name PCs of at most 64 bits`
    : `"${word}" is not a hexadecimal number: name PCs`;
}

/** The first PC that has no frames, and would have some if its upper half had not been lost. */
function cutPc(symbolized: SymbolizedPcs, { kernel }: KernelSymbolizer): Address | undefined {
  if (kernel === undefined) return undefined;
  const code = codeSections(kernel.image.elf);
  for (let index = 0; index < symbolized.length; index++) {
    const pc = symbolized.pcs[index];
    if (pc < 2 ** 31 || pc >= 2 ** 32 || symbolized.reason(index) === undefined) continue;
    const whole = pc - 2 ** 32;
    if (code.some(({ address, size }) => whole > address && whole <= address + size)) return pc;
  }
  return undefined;
}

/** For the kernel whose image it is: of the running one, all that it tells is used. */
function openSymbolizer(
  named: string | undefined,
  folders: readonly string[] = [],
): KernelSymbolizer {
  const query = { folders: [...folders, ...moduleFolders()] };
  let path: string;
  try {
    path = imagePath(named);
  } catch (error) {
    if (named !== undefined || !(error instanceof KcovUnavailableError)) throw error;
    const parts = runningKernelParts(undefined, query);
    if (parts.kallsyms === undefined) throw error;
    return new KernelSymbolizer(undefined, parts);
  }
  using image = new OpenImage(path);
  const isRunning = image.elf.buildId !== "" && image.elf.buildId === runningBuildId();
  return new KernelSymbolizer(path, isRunning ? runningKernelParts(image.elf, query) : {});
}

function imagePath(named: string | undefined): string {
  // The file that was named is taken as it is: PCs may come from any kernel.
  if (named !== undefined) return findKernelImage({ path: named, buildId: "" }).path;
  if ((process.env["KERNELCOV_VMLINUX"] ?? "") === "" && !kcovAvailability().available) {
    const embedded = embeddedKernelPath();
    if (embedded !== undefined) return embedded;
  }
  return findKernelImage().path;
}

/** More PCs than any kernel has points: longer input does not end. */
const LONGEST_INPUT = 1 << 29;

async function readInput(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of process.stdin) {
    length += chunk.length;
    if (length > LONGEST_INPUT) {
      throw new UsageError("Standard input is longer than any list of PCs: write one PC a line");
    }
    chunks.push(chunk as Uint8Array);
  }
  return new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer());
}

/** Writes to standard output at the reader's pace. What cannot be written is told elsewhere. */
function print(text: string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(text, () => resolve()));
}
