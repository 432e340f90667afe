import { FormatError } from "../../errors.ts";
import { CAUSED_BY_TESTS, COUNTS } from "../../coverage/origin_selection.ts";
import { BuiltInDriver } from "../drivers/built_in_driver.ts";
import { meaningOf } from "../origin_dictionary.ts";
import { RECORD_COLUMNS, recordColumns } from "../segments/record_table.ts";
import type { CatalogSegment } from "../store_catalog.ts";
import { manifestText, parseManifest, type StoreManifest } from "../store_manifest.ts";
import type { ServerTables } from "./server_tables.ts";

/** Records of one insert. */
const INSERTED = 5000;

/** The manifests that tables have, one for each segment, by the segment's name there. */
export async function readManifests(tables: ServerTables): Promise<Map<string, StoreManifest>> {
  const rows = await tables.rows<{ segment: string; manifest: string }>(
    `SELECT segment, manifest FROM ${tables.table("manifests")} ORDER BY segment`,
  );
  return new Map(rows.map(({ segment, manifest }) => [segment, parseManifest(manifest, segment)]));
}

/** How many segments were loaded, and how many were there. */
export interface LoadedSegments {
  readonly loaded: number;
  readonly known: number;
}

/**
 * Copies the segments of a store to tables that do not have them. Segments count once their manifests are there, which
 * come last and together: what a load that was killed has left counts for nothing.
 *
 * @throws {FormatError} Where the tables have another build, or shards of a segment with others.
 */
export async function loadTables(directory: string, tables: ServerTables): Promise<LoadedSegments> {
  await tables.create();
  const driver = await BuiltInDriver.open(directory);
  try {
    const { manifest, segments } = driver.catalog;
    const there = await readManifests(tables);
    checkSame(manifest, [...there.values()]);
    const known = new Map<string, ReadonlySet<string>>();
    for (const { segments: [{ id }], shards } of there.values()) {
      known.set(id, new Set(shards.map(({ id }) => id)));
    }
    const manifests: { segment: string; manifest: string }[] = [];
    for (const [number, segment] of segments.entries()) {
      if (known.has(segment.id)) continue;
      const shards = new Set(segment.records.shardIds);
      const doubled = [...known.values()].flatMap((ids) => [...ids])
        .find((id) => shards.has(id));
      if (doubled !== undefined) {
        throw new FormatError(
          "store",
          `the tables have shard ${doubled} in another segment already: load it into another database`,
        );
      }
      const name = `${segment.id}-${crypto.getRandomValues(new Uint8Array(4)).toHex()}`;
      await insertSegment(driver, tables, number, name);
      const own = {
        ...manifest,
        segments: [manifest.segments[number]],
        shards: manifest.shards.filter(({ id }) => shards.has(id)),
      };
      manifests.push({ segment: name, manifest: manifestText(own) });
    }
    await tables.insert("manifests", manifests);
    return { loaded: manifests.length, known: segments.length - manifests.length };
  } finally {
    await driver.close();
  }
}

function checkSame(manifest: StoreManifest, there: readonly StoreManifest[]): void {
  const text = (
    { kernel: { buildId, release, machine }, points, modules }: StoreManifest,
  ): string => JSON.stringify([buildId, release, machine, points, modules]);
  const other = there.find((one) => text(one) !== text(manifest));
  if (other === undefined) return;
  const same = other.kernel.buildId === manifest.kernel.buildId;
  throw new FormatError(
    "store",
    `the tables are of build ${other.kernel.buildId}, the store is of ${manifest.kernel.buildId}${
      same ? " with other modules" : ""
    }: load it into another database`,
  );
}

async function insertSegment(
  driver: BuiltInDriver,
  tables: ServerTables,
  number: number,
  name: string,
): Promise<void> {
  const segment = driver.catalog.segments[number];
  await tables.insertBinary("hits", hitBytes(driver, number, name));
  for (const rows of recordRows(segment, name)) await tables.insert("tests", rows);
  const { index } = segment;
  const points = Array.from(index.point, (point, at) => ({
    segment: name,
    point,
    rows: index.rows[at],
    tests: index.tests[at],
    sole: index.sole[at],
    left: index.left[at],
    apart: index.apart[at],
  }));
  for (let from = 0; from < points.length; from += 20 * INSERTED) {
    await tables.insert("points", points.slice(from, from + 20 * INSERTED));
  }
  const { bits } = meaningOf(segment.sets, driver.catalog.manifest.kernel.machine, CAUSED_BY_TESTS);
  const origins = segment.sets.map(({ origins, threadsShared, known }, set) => ({
    segment: name,
    origins: set,
    members: origins.join(" "),
    threads_shared: Number(threadsShared),
    known: Number(known),
    counts_by_default: Number(bits[set] >= COUNTS),
  }));
  for (let from = 0; from < origins.length; from += INSERTED) {
    await tables.insert("origins", origins.slice(from, from + INSERTED));
  }
}

function* recordRows({ records }: CatalogSegment, segment: string): Generator<object[]> {
  for (let from = 0; from < records.length; from += INSERTED) {
    const columns = recordColumns(
      Array.from(
        { length: Math.min(INSERTED, records.length - from) },
        (_, at) => records.at(from + at),
      ),
      from,
    );
    yield columns[0].map((_, row) => ({
      segment,
      ...Object.fromEntries(RECORD_COLUMNS.map(({ name, kind }, column) => {
        const value = columns[column][row];
        if (kind === "bytes") return [name, (value as Uint8Array<ArrayBuffer>).toBase64()];
        return [name, kind === "flag" ? Number(value) : value];
      })),
    }));
  }
}

/** The rows of a segment, as RowBinary has them. */
async function* hitBytes(
  driver: BuiltInDriver,
  segment: number,
  name: string,
): AsyncGenerator<Uint8Array> {
  const text = new TextEncoder().encode(name);
  const size = 1 + text.length + 16;
  for await (const rows of driver.allRows(segment)) {
    const bytes = new Uint8Array(rows.points.length * size);
    const view = new DataView(bytes.buffer);
    for (let row = 0, at = 0; row < rows.points.length; row++, at += size) {
      bytes[at] = text.length;
      bytes.set(text, at + 1);
      const start = at + 1 + text.length;
      view.setUint32(start, rows.points[row], true);
      view.setUint32(start + 4, rows.tests[row], true);
      view.setUint32(start + 8, rows.origins[row], true);
      view.setUint32(start + 12, rows.counts[row], true);
    }
    yield bytes;
  }
}
