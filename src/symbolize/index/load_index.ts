import { buildIndexParts, finishIndex, planIndex } from "./build_image_index.ts";
import {
  cachedImageIndex,
  fingerprintOf,
  folderOf,
  type LoadIndexOptions,
} from "./cached_index.ts";
import type { ImageIndex } from "./image_index.ts";
import { imageIndexOf, type IndexParts } from "./index_columns.ts";
import { OpenImage } from "../../kernel/image/open_image.ts";
import { canShare, UnitWorker } from "../units/parallel_units.ts";
import { writeCachedIndex } from "./write_cached_index.ts";

/**
 * Debug information that one thread reads before a second would be up and have its code compiled. Where there are only two
 * processors the engine compiles the first one's on the other.
 */
const WORTH_A_THREAD = (navigator.hardwareConcurrency > 2 ? 12 : 64) << 20;

/**
 * The index of an image: from the cache, or built, with a second thread where that pays, and stored.
 *
 * @param path Of a `vmlinux` or module.
 * @throws {FormatError} Where the file is not such an image.
 */
export async function loadImageIndex(
  path: string,
  options: LoadIndexOptions = {},
): Promise<ImageIndex> {
  using image = new OpenImage(path);
  const cached = cachedImageIndex(image, options);
  if (cached !== undefined) return cached;
  if (!canShare(image) || debugSize(image) < WORTH_A_THREAD) return build(image, options);
  using worker = new UnitWorker();
  const plan = planIndex(image.elf, image.sections());
  const results = await worker.do(image, plan.headers, plan.points.address, plan.work);
  return stored(finishIndex(image.elf, plan, results), image, options);
}

/** As {@linkcode loadImageIndex}, without waiting for another thread. */
export function loadImageIndexSync(path: string, options: LoadIndexOptions = {}): ImageIndex {
  using image = new OpenImage(path);
  return cachedImageIndex(image, options) ?? build(image, options);
}

/** Bytes of entries and of line programs: building reads all of both. */
function debugSize({ debugElf }: OpenImage): number {
  const sections = [".debug_info", ".debug_line"].map((name) => debugElf.section(name));
  return sections.reduce((sum, section) => sum + (section?.fileSize ?? 0), 0);
}

function build(image: OpenImage, options: LoadIndexOptions): ImageIndex {
  return stored(buildIndexParts(image.elf, image.sections()), image, options);
}

/** Puts an index that was built into the cache, and gives it. */
function stored(parts: IndexParts, image: OpenImage, options: LoadIndexOptions): ImageIndex {
  const folder = folderOf(options);
  if (folder !== null) writeCachedIndex(folder, parts, fingerprintOf(image));
  return imageIndexOf(parts);
}
