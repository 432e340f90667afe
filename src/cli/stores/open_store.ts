import { existsSync } from "node:fs";
import { join } from "node:path";
import type { LoadedRun, LoadRunOptions } from "../../run/load_run.ts";
import type { HitsReader } from "../../run/stores/load_store.ts";
import type { StoreDriver } from "../../store/drivers/driver.ts";
import { UsageError } from "../command_line.ts";

// What stores need is loaded where one is named: most commands have a run's folder.

/** What addresses of tables begin with; with TLS there is an s more. */
const SERVER = /^clickhouses?:/;

/** Names of what reads the hits of a store in a folder. */
const DRIVERS = ["built-in", "duckdb"] as const;

/** The option that names what reads a store's hits. */
export const DRIVER_OPTIONS = { driver: { type: "string" } } as const;

/** Help for {@linkcode DRIVER_OPTIONS}. */
export const DRIVER_HELP =
  `    --driver NAME   what reads the hits of a store: built-in, or duckdb where @duckdb/node-api is installed
`;

/** Whether what a question names is a store: a folder with one, or tables of a server. */
export function namesStore(path: string): boolean {
  return SERVER.test(path) || existsSync(join(path, "store.json"));
}

/**
 * Opens a store.
 *
 * @throws {UsageError} Where the driver is none.
 */
export async function openDriver(path: string, driver?: string): Promise<StoreDriver> {
  if (SERVER.test(path)) {
    if (driver !== undefined && driver !== "clickhouse") {
      throw new UsageError(`${path} is read by ClickHouse: leave out --driver`);
    }
    const { ClickHouseDriver } = await import("../../store/clickhouse/clickhouse_driver.ts");
    return await ClickHouseDriver.open(path);
  }
  switch (driver) {
    case undefined:
    case "built-in": {
      const { BuiltInDriver } = await import("../../store/drivers/built_in_driver.ts");
      return await BuiltInDriver.open(path);
    }
    case "duckdb": {
      const { DuckDbDriver } = await import("../../store/drivers/duckdb_driver.ts");
      return await DuckDbDriver.open(path);
    }
    default:
      throw new UsageError(`Unknown driver "${driver}": use ${DRIVERS.join(" or ")}`);
  }
}

/** Opens a store and reads its hits. */
export async function openStore(
  path: string,
  driver: string | undefined,
  options: LoadRunOptions,
  read?: HitsReader,
): Promise<LoadedRun> {
  const { loadStore } = await import("../../run/stores/load_store.ts");
  return await loadStore(await openDriver(path, driver), options, read);
}
