import process from "node:process";
import { parsePcText } from "../base/pc_text.ts";
import { findKernelImage } from "../symbolize/find_kernel_image.ts";
import { ImageSymbolizer } from "../symbolize/image_symbolizer.ts";
import { symbolizedJson, symbolizedText } from "../symbolize/symbolized_text.ts";
import { embeddedKernelPath } from "../uml/build_kernel.ts";
import { kcovAvailability } from "../kcov/kcov_availability.ts";
import { parseCommandLine } from "./command_line.ts";
import { UsageError } from "./usage_error.ts";

const HELP = `kernelcov symbolize [--vmlinux FILE] [--json]
    Reads raw PCs, one hexadecimal number a line, from standard input, and prints their frames, innermost first. Names
    and paths are those of llvm-symbolizer --inlines.
    --vmlinux FILE  the kernel's image with debug information; by default KERNELCOV_VMLINUX, else the running kernel's,
                    else the embedded kernel's
    --json          an object a line: {"pc": "0x…", "frames": [{"function", "file", "line"}…]}, or "reason"
`;

/** `kernelcov symbolize`: raw PCs on standard input to frames on standard output. */
export async function symbolizeCommand(args: string[]): Promise<number> {
  const { values, operands, command } = parseCommandLine(args, {
    vmlinux: { type: "string" },
    json: { type: "boolean" },
    help: { type: "boolean", short: "h" },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const extra = [...operands, ...command][0];
  if (extra !== undefined) {
    throw new UsageError(`Unexpected "${extra}": PCs are read from standard input`);
  }
  using symbolizer = new ImageSymbolizer(imagePath(values.vmlinux));
  const symbolized = await symbolizer.symbolize(parsePcText(await readInput()));
  const pieces = values.json ? symbolizedJson(symbolized) : symbolizedText(symbolized);
  for (const piece of pieces) await print(piece);
  return 0;
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

async function readInput(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array);
  return new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer());
}

/** Writes to standard output at the reader's pace. A reader that went away (`| head`) ends the output. */
function print(text: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  process.stdout.write(text, (error) => {
    if (error && (error as { code?: string }).code !== "EPIPE") reject(error);
    else resolve();
  });
  return promise;
}
