import { didYouMean } from "../base/nearest_names.ts";
import type { ImageIndex } from "../symbolize/index/image_index.ts";

const sets = new WeakMap<ImageIndex, ReadonlySet<string>>();

/** Names of the functions that coverage points of an image can tell of, inlined ones included. */
function coveredFunctions(index: ImageIndex): ReadonlySet<string> {
  let names = sets.get(index);
  if (names === undefined) {
    names = new Set(Array.from(new Set(index.frameFunction), (id) => index.functionName[id]));
    sets.set(index, names);
  }
  return names;
}

/**
 * Holds that coverage points can tell of a function.
 *
 * @param indexes of the kernel and its modules
 * @throws {RangeError} Where they cannot: says whether the image has it, and the nearest names that they can tell of.
 */
export function checkFunctionName(indexes: readonly ImageIndex[], name: string): void {
  if (indexes.some((index) => coveredFunctions(index).has(name))) return;
  const names = new Set(indexes.flatMap((index) => [...coveredFunctions(index)]));
  if (indexes.some((index) => hasSymbol(index, name))) {
    throw new RangeError(
      `Cannot tell whether ${name}() ran: it has no coverage points, as its file is not instrumented: ask about a function that calls it`,
    );
  }
  throw new RangeError(`The kernel has no function ${name}()${didYouMean(name, names)}`);
}

/**
 * Holds that coverage points can tell of a source file.
 *
 * @throws {RangeError} Where they cannot; names the nearest that they can tell of.
 */
export function checkFileName(indexes: readonly ImageIndex[], file: string): void {
  const covered = new Set(indexes.flatMap((index) => coveredFiles(index)));
  if (covered.has(file)) return;
  if (indexes.some((index) => index.files.includes(file))) {
    throw new RangeError(
      `Cannot tell which lines of ${file} ran: it has no coverage points, as it is not instrumented`,
    );
  }
  const end = file.slice(file.lastIndexOf("/") + 1);
  const alike = [...covered].filter((known) => known.endsWith(`/${end}`));
  throw new RangeError(
    `The kernel has no source file ${file}${
      alike.length > 0
        ? `: did you mean ${alike.slice(0, 3).join(", ")}?`
        : didYouMean(file, covered)
    }`,
  );
}

function coveredFiles({ files, lineFile }: ImageIndex): string[] {
  return Array.from(new Set(lineFile), (id) => files[id]);
}

function hasSymbol({ symbols }: ImageIndex, name: string): boolean {
  for (let at = 0; at < symbols.address.length; at++) {
    if (symbols.nameAt(at) === name) return true;
  }
  return false;
}
