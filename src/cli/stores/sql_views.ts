import { join, resolve } from "node:path";
import { SEGMENT_FILES, segmentFolder } from "../../store/segments/segment.ts";
import type { StoreManifest } from "../../store/store_manifest.ts";

/** Statements that make, in DuckDB, a view of each kind of file that a store has now. */
export function sqlViews(directory: string, { segments }: StoreManifest): string {
  return SEGMENT_FILES.map((table) => {
    const files = segments.map(({ id }) =>
      `'${resolve(join(segmentFolder(directory, id), `${table}.parquet`)).replaceAll("'", "''")}'`
    );
    return `CREATE VIEW ${table} AS SELECT * FROM read_parquet([${
      files.join(", ")
    }], hive_partitioning = true, hive_types = {'segment': VARCHAR});\n`;
  }).join("");
}
