import { buildIndexParts, finishIndex, planIndex } from "./build_image_index.ts";
import type { ImageIndex } from "./image_index.ts";
import { imageIndexOf, type IndexParts } from "./index_columns.ts";
import { indexCacheFolder, readCachedIndex, writeCachedIndex } from "./index_cache.ts";
import { OpenImage } from "./open_image.ts";
import { UnitWorker } from "./parallel_units.ts";

/** Debug information that one thread reads before a second would be up. */
const WORTH_A_THREAD = 16 << 20;

/** Options of {@linkcode loadImageIndex}. */
export interface LoadIndexOptions {
  /** Folder of the cache; `null` neither reads nor writes one. By default {@linkcode indexCacheFolder}. */
  readonly cacheFolder?: string | null;
}

/**
 * The index of an image: from the cache, or built, with a second thread where that pays, and stored.
 *
 * @param path of a `vmlinux` or module
 * @throws {FormatError} where the file is not such an image
 */
export async function loadImageIndex(
  path: string,
  options: LoadIndexOptions = {},
): Promise<ImageIndex> {
  using image = new OpenImage(path);
  const cached = cachedIndex(image, options);
  if (cached !== undefined) return imageIndexOf(cached);
  const info = image.debugElf.section(".debug_info");
  const pays = !image.elf.isModule && info !== undefined && image.debugElf.isPlain(info) &&
    image.isFile &&
    info.fileSize > WORTH_A_THREAD;
  if (!pays) {
    return imageIndexOf(stored(buildIndexParts(image.elf, image.sections()), image, options));
  }
  using worker = new UnitWorker();
  const plan = planIndex(image.elf, image.sections());
  const results = await worker.do(image, plan.headers, plan.points.address, plan.work, true);
  return imageIndexOf(stored(finishIndex(image.elf, plan, results), image, options));
}

/** As {@linkcode loadImageIndex}, without waiting for another thread. */
export function loadImageIndexSync(path: string, options: LoadIndexOptions = {}): ImageIndex {
  using image = new OpenImage(path);
  const parts = cachedIndex(image, options) ??
    stored(buildIndexParts(image.elf, image.sections()), image, options);
  return imageIndexOf(parts);
}

/** The index from the cache only; `undefined` where it is not there. */
export function cachedImageIndex(
  image: OpenImage,
  options: LoadIndexOptions = {},
): ImageIndex | undefined {
  const parts = cachedIndex(image, options);
  return parts === undefined ? undefined : imageIndexOf(parts);
}

function cachedIndex(image: OpenImage, options: LoadIndexOptions): IndexParts | undefined {
  const folder = options.cacheFolder === undefined ? indexCacheFolder() : options.cacheFolder;
  return folder === null
    ? undefined
    : readCachedIndex(folder, image.elf.buildId, fingerprintOf(image));
}

function stored(parts: IndexParts, image: OpenImage, options: LoadIndexOptions): IndexParts {
  const folder = options.cacheFolder === undefined ? indexCacheFolder() : options.cacheFolder;
  if (folder !== null) writeCachedIndex(folder, parts, fingerprintOf(image));
  return parts;
}

/**
 * What a build id leaves open: a stripped copy of an image has the same one. The sizes of the sections that an index is
 * made of tell them apart.
 */
function fingerprintOf(image: OpenImage): string {
  const sizes = [".debug_info", ".debug_line", ".debug_rnglists", ".debug_ranges", ".debug_str"]
    .map(
      (name) => image.debugElf.section(name)?.fileSize ?? 0,
    );
  const code = [".text", ".symtab"].map((name) => image.elf.section(name)?.fileSize ?? 0);
  return [...sizes, ...code].join(" ");
}
