import { lowerBound } from "../base/search.ts";
import { FormatError } from "../errors.ts";
import type { CoverageImage } from "./coverage_image.ts";

/** Space between the code of two images, and what each image's begins at a multiple of. */
const SPACE = 1 << 16;
/** Offsets of points are signed in some columns. */
const LARGEST_OFFSET = 2 ** 31 - 1;
/** Lines of a file fit: DWARF readers here take no line above it. */
const LINE_SPACE = 2 ** 32;
/** File number of a function whose file is not known. */
const NO_FILE = 0xffff_ffff;

/** A kernel and modules as one image. */
export interface JoinedImage {
  readonly image: CoverageImage;
  /** By module: where its offset 0 is in the image, as an offset from the image's base. */
  readonly start: readonly number[];
  /** By module: its first point in the image. The points of a module follow each other. */
  readonly firstPoint: readonly number[];
}

/**
 * Joins modules to their kernel, as if they were linked behind it. What they have of one file is one: its lines are
 * covered by the points of all.
 */
export function joinImages(
  kernel: CoverageImage,
  modules: readonly (CoverageImage & { readonly name: string })[],
): JoinedImage {
  for (const { machine, name } of modules) {
    if (machine === kernel.machine) continue;
    throw new FormatError(
      "ELF",
      `module ${name} is of ${machine}, its kernel of ${kernel.machine}: use the kernel's own`,
    );
  }
  const images = [kernel, ...modules];
  const { files, fileOf } = joinFiles(images);
  const { lineFile, lineNumber, lineOf } = joinLines(images, fileOf);
  const start = startOffsets(images);
  const functions = countsBefore(images, ({ functionName }) => functionName.length);
  const frames = countsBefore(images, ({ frameFunction }) => frameFunction.length);
  const claims = countsBefore(images, ({ claimLine }) => claimLine.length);
  return {
    image: {
      buildId: kernel.buildId,
      machine: kernel.machine,
      base: kernel.base,
      callLength: kernel.callLength,
      pointOffset: joined(
        Uint32Array,
        images,
        (image) => image.pointOffset,
        (i, v) => v + start[i],
      ),
      pointUnknown: joined(Uint8Array, images, (image) => image.pointUnknown),
      allPointOffsets: joined(
        Int32Array,
        images,
        (image) => image.allPointOffsets,
        (i, v) => v + start[i],
      ),
      frameStart: starts(images.map(({ frameStart }) => frameStart), frames),
      frameFunction: joined(
        Uint32Array,
        images,
        (image) => image.frameFunction,
        (i, v) => v + functions[i],
      ),
      frameFile: joined(
        Uint32Array,
        images,
        (image) => image.frameFile,
        (i, v) => fileOf[i][v] ?? NO_FILE,
      ),
      frameLine: joined(Uint32Array, images, (image) => image.frameLine),
      claimStart: starts(images.map(({ claimStart }) => claimStart), claims),
      claimLine: joined(Uint32Array, images, (image) => image.claimLine, (i, v) => lineOf[i][v]),
      lineFile,
      lineNumber,
      functionName: images.flatMap(({ functionName }) => functionName),
      functionFile: joined(
        Uint32Array,
        images,
        (image) => image.functionFile,
        (i, v) => fileOf[i][v] ?? NO_FILE,
      ),
      functionLine: joined(Uint32Array, images, (image) => image.functionLine),
      functionEndLine: joined(Uint32Array, images, (image) => image.functionEndLine),
      files,
      problems: kernel.problems.concat(
        modules.flatMap(({ name, problems }) => problems.map((problem) => `${name}: ${problem}`)),
      ),
    },
    start: start.slice(1),
    firstPoint: countsBefore(images, ({ pointOffset }) => pointOffset.length).slice(1),
  };
}

function joinFiles(
  images: readonly CoverageImage[],
): { files: string[]; fileOf: readonly Uint32Array[] } {
  const number = new Map<string, number>();
  const fileOf = images.map(({ files }) =>
    Uint32Array.from(files, (file) => {
      const known = number.get(file);
      if (known !== undefined) return known;
      number.set(file, number.size);
      return number.size - 1;
    })
  );
  return { files: [...number.keys()], fileOf };
}

/** All lines in the order of their files and numbers, each once, and what each image's lines are among them. */
function joinLines(
  images: readonly CoverageImage[],
  fileOf: readonly Uint32Array[],
): { lineFile: Uint32Array; lineNumber: Uint32Array; lineOf: readonly Uint32Array[] } {
  const keys = images.map(({ lineFile, lineNumber }, i) => {
    const key = new Float64Array(lineFile.length);
    for (let line = 0; line < key.length; line++) {
      key[line] = fileOf[i][lineFile[line]] * LINE_SPACE + lineNumber[line];
    }
    return key;
  });
  const all = new Float64Array(keys.reduce((sum, { length }) => sum + length, 0));
  let count = 0;
  for (const key of keys) {
    all.set(key, count);
    count += key.length;
  }
  all.sort();
  count = 0;
  for (let at = 0; at < all.length; at++) {
    if (at === 0 || all[at] !== all[at - 1]) all[count++] = all[at];
  }
  const lines = all.subarray(0, count);
  const lineOf = keys.map((key) => {
    const of = new Uint32Array(key.length);
    let at = 0;
    for (let line = 0; line < key.length; line++) {
      // An image's own lines ascend within a file, so the next is mostly the neighbour.
      if (lines[at] !== key[line]) at = lowerBound(lines, key[line]);
      of[line] = at++;
    }
    return of;
  });
  return {
    lineFile: Uint32Array.from(lines, (key) => Math.floor(key / LINE_SPACE)),
    lineNumber: Uint32Array.from(lines, (key) => key % LINE_SPACE),
    lineOf,
  };
}

/** Where each image's offset 0 goes: the first stays, each other begins behind the one before it. */
function startOffsets(images: readonly CoverageImage[]): number[] {
  const start: number[] = [];
  let next = 0;
  for (const { allPointOffsets, pointOffset } of images) {
    start.push(next);
    const last = Math.max(0, allPointOffsets.at(-1) ?? 0, pointOffset.at(-1) ?? 0);
    next = (Math.floor((next + last) / SPACE) + 2) * SPACE;
    if (next <= LARGEST_OFFSET) continue;
    throw new FormatError(
      "ELF",
      "the code of the kernel and its modules is larger than 2 GiB: report fewer modules",
    );
  }
  return start;
}

function countsBefore(
  images: readonly CoverageImage[],
  count: (image: CoverageImage) => number,
): number[] {
  let sum = 0;
  return images.map((image) => (sum += count(image)) - count(image));
}

/** Columns of starts, which end with the number of entries, as one. */
function starts(columns: readonly Uint32Array[], before: readonly number[]): Uint32Array {
  const all = new Uint32Array(columns.reduce((sum, { length }) => sum + length - 1, 1));
  let at = 0;
  columns.forEach((column, i) => {
    for (const value of column) all[at++] = value + before[i];
    at--;
  });
  return all;
}

/** Columns one behind the other, each value by `map` of its image's number and itself. */
function joined<Column extends Uint8Array | Uint32Array | Int32Array>(
  Type: new (length: number) => Column,
  images: readonly CoverageImage[],
  column: (image: CoverageImage) => Column,
  map?: (image: number, value: number) => number,
): Column {
  const columns = images.map(column);
  const all = new Type(columns.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  columns.forEach((values, i) => {
    if (map === undefined) all.set(values, at);
    else {for (let index = 0; index < values.length; index++) {
        all[at + index] = map(i, values[index]);
      }}
    at += values.length;
  });
  return all;
}
