import { FormatError } from "../../errors.ts";
import type { OpenImage } from "../../kernel/image/open_image.ts";
import { cacheFolderPath } from "../../sys/cache_folder.ts";
import { type OpenFile, openFile } from "../../sys/open_file.ts";
import type { ImageIndex } from "./image_index.ts";
import { decodeFrames, decodeIndex, INDEX_HEADER_SIZE, indexLayout } from "./image_index_file.ts";
import { type FrameParts, imageIndexOf, type IndexParts } from "./index_columns.ts";

/** Where indexes are kept. */
export interface LoadIndexOptions {
  /** Folder of the cache; `null` neither reads nor writes one. By default {@linkcode indexCacheFolder}. */
  readonly cacheFolder?: string | null;
}

/** End of the name of a cache file, behind the build id. */
export const INDEX_SUFFIX = ".index";

/** Where indexes are kept unless another folder is given. */
export function indexCacheFolder(): string {
  return `${cacheFolderPath()}/index`;
}

/** Folder of the index; `null` where it is not kept. */
export function folderOf(options: LoadIndexOptions): string | null {
  return options.cacheFolder === undefined ? indexCacheFolder() : options.cacheFolder;
}

/** The index of an image from the cache; `undefined` where it is not there. */
export function cachedImageIndex(
  image: OpenImage,
  options: LoadIndexOptions = {},
): ImageIndex | undefined {
  const parts = readParts(image.elf.buildId, fingerprintOf(image), options);
  return parts && imageIndexOf(parts);
}

/**
 * The index of a build id whose image is not available, from the cache: of the data of that build id that were read last.
 * `undefined` where it is not there, or was made of a file without debug information.
 */
export function rememberedIndex(
  buildId: string,
  options: LoadIndexOptions = {},
): ImageIndex | undefined {
  const parts = readParts(buildId, undefined, options);
  return parts === undefined || parts.lineFile.length === 0 ? undefined : imageIndexOf(parts);
}

/** Points and frames of an image from the cache, less than half of its index; `undefined` where they are not there. */
export function cachedFrames(
  image: OpenImage,
  options: LoadIndexOptions = {},
): FrameParts | undefined {
  const { buildId } = image.elf;
  return readCacheFile(buildId, options, (file) => {
    const { framesEnd } = indexLayout(readFront(file, INDEX_HEADER_SIZE));
    return decodeFrames(readFront(file, framesEnd), buildId, fingerprintOf(image));
  });
}

/**
 * What a build id leaves open: a stripped copy of an image has the same one. The sizes of the sections that an index is
 * made of tell them apart.
 */
export function fingerprintOf(image: OpenImage): string {
  const debug = [".debug_info", ".debug_line", ".debug_rnglists", ".debug_ranges", ".debug_str"];
  const sizes = debug.map((name) => image.debugElf.section(name)?.fileSize ?? 0);
  const code = [".text", ".symtab"].map((name) => image.elf.section(name)?.fileSize ?? 0);
  return [...sizes, ...code].join(" ");
}

/** @param fingerprint `undefined` where any will do. */
function readParts(
  buildId: string,
  fingerprint: string | undefined,
  options: LoadIndexOptions,
): IndexParts | undefined {
  return readCacheFile(buildId, options, (file) => {
    const { linesEnd } = indexLayout(readFront(file, INDEX_HEADER_SIZE));
    return decodeIndex(readFront(file, linesEnd), buildId, fingerprint);
  });
}

/** What `read` gives; `undefined` where the file is missing, damaged, of another version or of other data. */
function readCacheFile<Parts>(
  buildId: string,
  options: LoadIndexOptions,
  read: (file: OpenFile) => Parts,
): Parts | undefined {
  const folder = folderOf(options);
  if (folder === null || buildId === "") return undefined;
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
