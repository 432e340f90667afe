import type { ImageIndex } from "./image_index.ts";
import { indexCacheFolder, readCachedFrames, readCachedIndex } from "./index_cache.ts";
import { type FrameParts, imageIndexOf } from "./index_columns.ts";
import type { OpenImage } from "../../kernel/image/open_image.ts";

/** Where indexes are kept. */
export interface LoadIndexOptions {
  /** Folder of the cache; `null` neither reads nor writes one. By default {@linkcode indexCacheFolder}. */
  readonly cacheFolder?: string | null;
}

/** The index of an image from the cache; `undefined` where it is not there. */
export function cachedImageIndex(
  image: OpenImage,
  options: LoadIndexOptions = {},
): ImageIndex | undefined {
  const folder = folderOf(options);
  if (folder === null) return undefined;
  const parts = readCachedIndex(folder, image.elf.buildId, fingerprintOf(image));
  return parts === undefined ? undefined : imageIndexOf(parts);
}

/**
 * The index of a build id whose image is not at hand, from the cache; `undefined` where it is not there, or was made of a
 * file without debug information.
 */
export function rememberedIndex(
  buildId: string,
  options: LoadIndexOptions = {},
): ImageIndex | undefined {
  const folder = folderOf(options);
  if (folder === null) return undefined;
  const parts = readCachedIndex(folder, buildId, undefined);
  return parts === undefined || parts.lineFile.length === 0 ? undefined : imageIndexOf(parts);
}

/** Points and frames of an image from the cache; `undefined` where they are not there. */
export function cachedFrames(
  image: OpenImage,
  options: LoadIndexOptions = {},
): FrameParts | undefined {
  const folder = folderOf(options);
  return folder === null
    ? undefined
    : readCachedFrames(folder, image.elf.buildId, fingerprintOf(image));
}

/** Where the index is kept; `null` where nowhere. */
export function folderOf(options: LoadIndexOptions): string | null {
  return options.cacheFolder === undefined ? indexCacheFolder() : options.cacheFolder;
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
