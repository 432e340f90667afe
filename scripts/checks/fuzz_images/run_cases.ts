import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { elfFileOf } from "../../../src/elf/elf_file.ts";
import { FormatError } from "../../../src/errors.ts";
import { framesOfAddresses } from "../../../src/symbolize/lookup/address_frames.ts";
import { buildIndexParts } from "../../../src/symbolize/index/build_image_index.ts";
import { debugSections } from "../../../src/kernel/image/debug_image.ts";
import type { ImageIndex } from "../../../src/symbolize/index/image_index.ts";
import { encodeIndex } from "../../../src/symbolize/index/encode_index.ts";
import { decodeIndex } from "../../../src/symbolize/index/image_index_file.ts";
import { imageIndexOf } from "../../../src/symbolize/index/index_columns.ts";
import { inflate } from "../../../src/kernel/image/inflate.ts";
import { OpenImage } from "../../../src/kernel/image/open_image.ts";
import { framesAt } from "../../../src/symbolize/lookup/point_frames.ts";
import {
  type KernelParts,
  kernelParts,
  kernelSeed,
  type Seed,
  sliceKernel,
  smallSeeds,
} from "./corpus.ts";
import { mutate, Random } from "./mutations.ts";

/** Of this many cases one is a slice of the kernel, where there is one. */
const KERNEL_SHARE = 8;

/** What the parent tells the child that runs cases. */
export interface CasesToRun {
  readonly seed: number;
  readonly first: number;
  readonly last: number;
  readonly kernel: string | undefined;
  /** Folder for the number of the current case, and for images that are read as files. */
  readonly folder: string;
}

/** Counts of a run, written by the child for the parent to read. */
export interface CaseCounts {
  cases: number;
  results: number;
  formatErrors: number;
  kernelCases: number;
}

/** Runs cases until the last one. Prints a line for each case that ended in anything but a result or a FormatError. */
export function runCases({ seed, first, last, kernel, folder }: CasesToRun): void {
  const small = smallSeeds();
  const large = kernel === undefined ? undefined : kernelSeed(kernel);
  const parts = large === undefined ? undefined : kernelParts(large);
  const counts: CaseCounts = { cases: 0, results: 0, formatErrors: 0, kernelCases: 0 };
  const progress = openSync(join(folder, "case"), "w");
  const record = new Int32Array(8);
  for (let number = first; number <= last; number++) {
    record.set([number, counts.cases, counts.results, counts.formatErrors, counts.kernelCases]);
    writeSync(progress, record, 0, record.byteLength, 0);
    const random = new Random(seed, number);
    const isKernel = large !== undefined && random.below(KERNEL_SHARE) === 0;
    const image = isKernel ? large : random.of(small);
    const undo = new UndoLog(image.bytes);
    try {
      runCase(image, isKernel ? parts : undefined, random, undo, folder);
      counts.results++;
    } catch (error) {
      if (error instanceof FormatError) counts.formatErrors++;
      else {
        const text = error instanceof Error ? error.stack ?? error.message : String(error);
        console.log(`FAILED case ${number} (${image.name}): ${text}`);
      }
    }
    undo.undo();
    counts.cases++;
    if (isKernel) counts.kernelCases++;
  }
  record.set([-1, counts.cases, counts.results, counts.formatErrors, counts.kernelCases]);
  writeSync(progress, record, 0, record.byteLength, 0);
  closeSync(progress);
}

/** Reads the file that {@linkcode runCases} keeps: the current case (-1 after the last one) and the counts. */
export function readProgress(folder: string): { number: number } & CaseCounts {
  const bytes = readFileSync(join(folder, "case"));
  const record = new Int32Array(8);
  new Uint8Array(record.buffer).set(bytes.subarray(0, 32));
  const [number, cases, results, formatErrors, kernelCases] = record;
  return { number, cases, results, formatErrors, kernelCases };
}

function runCase(
  image: Seed,
  parts: KernelParts | undefined,
  random: Random,
  undo: UndoLog,
  folder: string,
): void {
  const save = (offset: number, size: number): void => undo.save(offset, size);
  const targets = parts === undefined ? image.targets : sliceKernel(image, parts, random, save);
  const kind = random.below(10);
  if (kind > 0) mutate(image.bytes, targets, random, save);
  const cut = kind <= 2 ? random.below(image.bytes.length) : image.bytes.length;
  const bytes = image.bytes.subarray(0, cut);
  if (parts === undefined && random.below(8) === 0) {
    readAsFile(bytes, random, join(folder, "image"));
    return;
  }
  const elf = elfFileOf(bytes, inflate);
  const built = buildIndexParts(elf, debugSections(elf));
  checkIndex(imageIndexOf(built));
  if (parts !== undefined || random.below(4) !== 0) return;
  const encoded = encodeIndex(built, "fuzz") as Uint8Array<ArrayBuffer>;
  const whole = encoded.slice();
  mutate(encoded, [{ offset: 0, size: encoded.length }], random, () => {});
  const damaged = encoded.some((byte, at) => byte !== whole[at]);
  checkIndex(imageIndexOf(decodeIndex(encoded, built.buildId, "fuzz")));
  if (damaged) throw new RangeError("A damaged cache file was believed");
}

/** The other way to frames: of a few addresses, reading only their units. */
function readAsFile(bytes: Uint8Array, random: Random, path: string): void {
  writeFileSync(path, bytes);
  using image = new OpenImage(path);
  const text = image.elf.section(".text");
  const start = text?.address ?? 0, size = Math.min(text?.size ?? 0, 1 << 20);
  const addresses = Float64Array.from({ length: 20 }, () => start + random.below(size + 16)).sort();
  const columns = framesOfAddresses(image, addresses);
  for (let at = 0; at < addresses.length; at++) framesAt(columns, at);
}

/** What every index keeps, whatever the image: reports index these columns without looking. */
function checkIndex(index: ImageIndex): void {
  const lines = index.lineNumber.length, functions = index.functionName.length;
  checkStarts(
    "frameStart",
    index.allFrameStart,
    index.allPointOffsets.length,
    index.frameLine.length,
  );
  checkStarts("claimStart", index.claimStart, index.pointOffset.length, index.claimLine.length);
  checkBelow("claimLine", index.claimLine, lines);
  checkBelow("frameFunction", index.frameFunction, functions);
  checkBelow("frameFile", index.frameFile, index.files.length);
  checkBelow("framePath", index.framePath, index.paths.length);
  checkBelow("lineFile", index.lineFile, index.files.length);
  checkBelow("functionFile", index.functionFile, index.files.length);
  for (let point = 1; point < index.pointOffset.length; point++) {
    if (index.pointOffset[point] <= index.pointOffset[point - 1]) {
      throw new RangeError("Points are not ascending");
    }
  }
  for (let line = 0; line < lines; line++) {
    if (index.lineNumber[line] === 0) throw new RangeError("Line 0 is in the universe");
  }
  for (let at = 0; at < Math.min(50, index.allPointOffsets.length); at++) framesAt(index, at);
}

function checkStarts(name: string, starts: ArrayLike<number>, count: number, total: number): void {
  let before = starts[0];
  for (let at = 0; at <= count; at++) {
    if (!(starts[at] >= before && starts[at] <= total)) {
      throw new RangeError(`${name}[${at}] is ${starts[at]}`);
    }
    before = starts[at];
  }
}

function checkBelow(name: string, values: ArrayLike<number>, limit: number): void {
  for (let at = 0; at < values.length; at++) {
    if (!(values[at] < limit)) {
      throw new RangeError(`${name}[${at}] is ${values[at]}, not below ${limit}`);
    }
  }
}

/** Bytes as they were before a case. */
class UndoLog {
  readonly #bytes: Uint8Array;
  readonly #saved: { offset: number; bytes: Uint8Array }[] = [];

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  save(offset: number, size: number): void {
    this.#saved.push({ offset, bytes: this.#bytes.slice(offset, offset + size) });
  }

  undo(): void {
    for (let saved = this.#saved.pop(); saved !== undefined; saved = this.#saved.pop()) {
      this.#bytes.set(saved.bytes, saved.offset);
    }
  }
}

if (process.argv[2] === "--run-cases") runCases(JSON.parse(process.argv[3]));
