import { FormatError } from "../../errors.ts";
import { type OpenFile, openFile } from "../../sys/open_file.ts";
import { decodeFrames, decodeIndex, INDEX_HEADER_SIZE, indexLayout } from "./image_index_file.ts";
import { environmentVariable, homeFolder } from "../../sys/runtime.ts";
import type { FrameParts, IndexParts } from "./index_columns.ts";

/** End of the name of a cache file, behind the build id. */
export const INDEX_SUFFIX = ".index";

/** `$XDG_CACHE_HOME/kernelcov/index`, or the same under `~/.cache`. */
export function indexCacheFolder(): string {
  const configured = environmentVariable("XDG_CACHE_HOME");
  // The XDG Base Directory specification: a relative path is to be ignored.
  const cache = configured?.startsWith("/") ? configured : `${homeFolder()}/.cache`;
  return `${cache}/kernelcov/index`;
}

/**
 * The index of an image from the cache, or `undefined` where there is none that can be believed: the file is missing,
 * damaged, of another version or of other data.
 *
 * @param fingerprint `undefined` where the image is not at hand: the data of that build id that were read last
 */
export function readCachedIndex(
  folder: string,
  buildId: string,
  fingerprint: string | undefined,
): IndexParts | undefined {
  return readCacheFile(folder, buildId, (file) => {
    const { linesEnd } = indexLayout(readFront(file, INDEX_HEADER_SIZE));
    return decodeIndex(readFront(file, linesEnd), buildId, fingerprint);
  });
}

/** As {@linkcode readCachedIndex}, of points and frames only: less than half as much. */
export function readCachedFrames(
  folder: string,
  buildId: string,
  fingerprint: string | undefined,
): FrameParts | undefined {
  return readCacheFile(folder, buildId, (file) => {
    const { framesEnd } = indexLayout(readFront(file, INDEX_HEADER_SIZE));
    return decodeFrames(readFront(file, framesEnd), buildId, fingerprint);
  });
}

function readCacheFile<Parts>(
  folder: string,
  buildId: string,
  read: (file: OpenFile) => Parts,
): Parts | undefined {
  if (buildId === "") return undefined;
  let file: OpenFile;
  try {
    file = openFile(`${folder}/${buildId}${INDEX_SUFFIX}`);
  } catch {
    return undefined;
  }
  try {
    return read(file);
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  } finally {
    file.close();
  }
}

/** The first `size` bytes of a file. */
function readFront(file: OpenFile, size: number): Uint8Array<ArrayBuffer> {
  if (size > file.size) throw new FormatError("index", "file is cut short");
  const bytes = new Uint8Array(size);
  for (let done = 0; done < size;) {
    const count = file.read(done === 0 ? bytes : bytes.subarray(done), done);
    if (count === 0) throw new FormatError("index", "file is cut short");
    done += count;
  }
  return bytes;
}
