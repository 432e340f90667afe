import { Readable } from "node:stream";
import type { ClickHouseClient } from "@clickhouse/client";
import { errorReason } from "../../sys/file_error.ts";

/** Points or sets that one query lists. */
export const LISTED = 10_000;

/** What an address such as `clickhouse://one:8123,two:8123/name?cluster=NAME` says. */
export interface ServerAddress {
  /** As `http://user:password@host:port`; the first is asked, all have tables. */
  readonly hosts: readonly string[];
  readonly database: string;
  /** The cluster of the servers' configuration that the tables are distributed over; absent: one server's. */
  readonly cluster?: string;
}

/**
 * Reads an address.
 *
 * @throws {TypeError} Where it is none.
 */
export function parseAddress(text: string): ServerAddress {
  const [, secure, login = "", hosts, database, query = ""] =
    /^clickhouse(s?):\/\/([^/@]*@)?([^/@?]+)\/(\w+)(\?.*)?$/.exec(text) ?? [];
  const parameters = new URLSearchParams(query);
  const cluster = parameters.get("cluster") ?? undefined;
  const unknown = [...parameters.keys()].find((name) => name !== "cluster");
  const wrong = hosts === undefined || unknown !== undefined ||
    (cluster !== undefined && !/^\w+$/.test(cluster));
  const list = wrong ? [] : hosts.split(",").map((host) => `http${secure}://${login}${host}`);
  if (wrong || !list.every((url) => URL.canParse(url))) {
    throw new TypeError(
      `${text} is no address of tables: write clickhouse://HOST:8123/DATABASE, or with several servers clickhouse://HOST:8123,HOST:8123/DATABASE?cluster=NAME`,
    );
  }
  return { hosts: list, database, ...cluster === undefined ? {} : { cluster } };
}

/** Columns and order of each table. Rows of a segment are in the store once `manifests` names it. */
const TABLES = {
  hits: [
    "segment String, point UInt32, test UInt32, origins UInt32, count UInt32",
    "point, segment, test",
    "intHash32(test)",
  ],
  tests: [
    "segment String, test UInt32, id String, name String, file String, runner String, kind String, outcome String, " +
    "duration_ms Float64, scope String, truncated UInt8, shard String, place UInt32, pass UInt32, points UInt32, " +
    "all_points UInt32, has_counts UInt8, origins_known UInt8, details String, first_runs String",
    "segment, test",
    "intHash32(test)",
  ],
  points: [
    "segment String, point UInt32, rows UInt32, tests UInt32, sole Int32, left UInt8, apart UInt8",
    "segment, point",
    "intHash32(point)",
  ],
  origins: [
    "segment String, origins UInt32, members String, threads_shared UInt8, known UInt8, counts_by_default UInt8",
    "segment, origins",
    "intHash32(origins)",
  ],
  manifests: ["segment String, manifest String", "segment", "0"],
} as const;

/** Name of a table of a store. */
export type TableName = keyof typeof TABLES;

/** A connection to the tables of a store. */
export class ServerTables {
  readonly address: ServerAddress;
  readonly #clients: readonly ClickHouseClient[];

  private constructor(address: ServerAddress, clients: readonly ClickHouseClient[]) {
    this.address = address;
    this.#clients = clients;
  }

  /** @throws {TypeError} Where the package is not installed, or the address is none. */
  static async open(text: string): Promise<ServerTables> {
    const address = parseAddress(text);
    const { createClient, ClickHouseLogLevel } = await loadPackage();
    const clients = address.hosts.map((url) =>
      createClient({ url, log: { level: ClickHouseLogLevel.OFF }, request_timeout: 600_000 })
    );
    return new ServerTables(address, clients);
  }

  /** Makes the database and its tables where they are not there, on each server. */
  async create(): Promise<void> {
    const { database, cluster } = this.address;
    for (const client of this.#clients) {
      await this.#asked(client.command({ query: `CREATE DATABASE IF NOT EXISTS ${database}` }));
      for (const [name, [columns, order]] of Object.entries(TABLES)) {
        const query =
          `CREATE TABLE IF NOT EXISTS ${database}.${name}_here (${columns}) ENGINE = MergeTree() ORDER BY (${order})`;
        await this.#asked(client.command({ query }));
      }
      if (cluster === undefined) continue;
      for (const [name, [columns, , key]] of Object.entries(TABLES)) {
        const query =
          `CREATE TABLE IF NOT EXISTS ${database}.${name} (${columns}) ENGINE = Distributed(${cluster}, ${database}, ${name}_here, ${key})`;
        await this.#asked(client.command({ query }));
      }
    }
  }

  /** A table as queries name it. */
  table(name: TableName): string {
    const { database, cluster } = this.address;
    return `${database}.${name}${cluster === undefined ? "_here" : ""}`;
  }

  /** The rows of a query, as objects. */
  async rows<Row>(query: string): Promise<Row[]> {
    const result = await this.#asked(this.#clients[0].query({ query, format: "JSONEachRow" }));
    return await this.#asked(result.json<Row>());
  }

  /** The rows of a query of so many columns of unsigned 32-bit numbers. */
  async numbers(query: string, columns: number): Promise<Uint32Array[]> {
    const { stream } = await this.#asked(
      this.#clients[0].exec({ query: `${query} FORMAT RowBinary` }),
    );
    const parts: Uint8Array[] = [];
    for await (const part of stream) parts.push(part);
    const bytes = new Uint8Array(Buffer.concat(parts));
    const view = new DataView(bytes.buffer);
    const rows = bytes.length / 4 / columns;
    const found = Array.from({ length: columns }, () => new Uint32Array(rows));
    for (let row = 0, at = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++, at += 4) {
        found[column][row] = view.getUint32(at, true);
      }
    }
    return found;
  }

  /** Adds rows, as RowBinary has them; they are on all servers when it returns. */
  async insertBinary(
    name: TableName,
    parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<void> {
    const { stream } = await this.#asked(this.#clients[0].exec({
      query: `INSERT INTO ${this.table(name)} FORMAT RowBinary`,
      values: Readable.from(parts, { objectMode: false }),
      clickhouse_settings: { insert_distributed_sync: 1 },
    }));
    for await (const _part of stream);
  }

  /** Adds rows that are objects. */
  async insert(name: TableName, values: readonly object[]): Promise<void> {
    if (values.length === 0) return;
    await this.#asked(this.#clients[0].insert({
      table: this.table(name),
      values: [...values],
      format: "JSONEachRow",
      clickhouse_settings: { insert_distributed_sync: 1 },
    }));
  }

  async close(): Promise<void> {
    for (const client of this.#clients) await client.close();
  }

  /** @throws {TypeError} Where the server refuses, with what it says. */
  async #asked<Answer>(answer: Promise<Answer>): Promise<Answer> {
    try {
      return await answer;
    } catch (cause) {
      const said = errorReason(cause) || String((cause as { code?: unknown }).code);
      const [where] = this.address.hosts;
      throw new TypeError(
        `ClickHouse at ${new URL(where).host} does not answer: ${
          said.slice(0, 300)
        }: check the address and the server`,
        { cause },
      );
    }
  }
}

async function loadPackage(): Promise<typeof import("@clickhouse/client")> {
  try {
    return await import("@clickhouse/client");
  } catch (cause) {
    throw new TypeError(
      `@clickhouse/client cannot be loaded: ${errorReason(cause)}: npm install @clickhouse/client`,
      { cause },
    );
  }
}

/** Text as SQL has it. */
export function quotedText(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
