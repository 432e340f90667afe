import { OriginDictionary } from "./origin_dictionary.ts";
import { mergeSegments } from "./segments/merge_segments.ts";
import { SegmentReader, writeSegment } from "./segments/segment.ts";
import type { StoreWriter } from "./store_folder.ts";
import type { StoreManifest, StoreShard } from "./store_manifest.ts";

/** How to rewrite a store. */
export interface CompactOptions {
  /** Which shards stay; all by default. */
  readonly shards?: (shard: StoreShard) => boolean;
  /** Is told of the rows that were read since, of how many. */
  readonly progress?: (rows: number, all: number) => void;
}

/**
 * Makes one segment of all that a store has, so that a question reads one place of one file.
 *
 * @throws {FormatError} Where a file is damaged.
 */
export async function compactStore(
  writer: StoreWriter,
  manifest: StoreManifest,
  options: CompactOptions = {},
): Promise<void> {
  const shards = manifest.shards.filter(options.shards ?? (() => true));
  const kept = new Set(shards.map(({ id }) => id));
  const readers: SegmentReader[] = [];
  try {
    for (const segment of manifest.segments) {
      readers.push(await SegmentReader.open(writer.directory, segment));
    }
    const dictionary = new OriginDictionary();
    const all = manifest.segments.reduce((sum, { rows }) => sum + rows, 0);
    const { records, blocks } = await mergeSegments(
      readers,
      dictionary,
      (shard) => kept.has(shard),
      (rows) => options.progress?.(rows, all),
    );
    if (records.length === 0) {
      writer.commit({ ...manifest, segments: [], shards });
      return;
    }
    const { id, folder } = writer.newSegment();
    const parts = { records, kinds: records.kinds(), sets: dictionary.sets };
    const segment = await writeSegment(folder, id, manifest.kernel.machine, parts, blocks);
    const left = records.counts();
    writer.commit({
      ...manifest,
      segments: [segment],
      shards: shards.map((shard) => ({ ...shard, records: left.get(shard.id) ?? 0 })),
    });
  } finally {
    for (const reader of readers) reader[Symbol.dispose]();
  }
}
