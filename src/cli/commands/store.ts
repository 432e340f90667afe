import process from "node:process";
import { ProgressLine } from "../../build/build_progress.ts";
import { FormatError } from "../../errors.ts";
import { formatCount, plural, printable } from "../../report/text_style.ts";
import { loadRunImage } from "../../run/run_image.ts";
import { addRun } from "../../run/stores/add_runs.ts";
import { RunProjector } from "../../run/stores/project_run.ts";
import { type ImageLoader, ShardWriter } from "../../run/stores/shard_writer.ts";
import { compactStore } from "../../store/compact_store.ts";
import { readManifest, StoreWriter } from "../../store/store_folder.ts";
import type { LeftInRuns, StoreManifest, StoreShard } from "../../store/store_manifest.ts";
import {
  type Command,
  type OptionValues,
  parseCommandLine,
  UsageError,
  warn,
} from "../command_line.ts";
import { printJson } from "../question.ts";
import { storeHistory } from "../stores/store_history.ts";
import { inputPaths, inputsAt } from "../stores/store_inputs.ts";
import { sqlViews } from "../stores/sql_views.ts";

const OPTIONS = {
  vmlinux: { type: "string" },
  modules: { type: "string", multiple: true },
  before: { type: "string" },
  keep: { type: "string" },
  shard: { type: "string", multiple: true },
  "by-line": { type: "boolean" },
  json: { type: "boolean" },
  sql: { type: "boolean" },
} as const;

/** Work that takes longer than this shows how far it is. */
const SHOW_AFTER_MS = 1000;

const ACTIONS = "add, list, compact, prune, load or history";

type StoreValues = OptionValues<typeof OPTIONS>;

/** `kernelcov store …`. */
export const storeCommand: Command = {
  help: `kernelcov store add STORE RUN…
kernelcov store list STORE [--json | --sql]
kernelcov store compact STORE
kernelcov store prune STORE [--keep N | --before DATE | --shard ID…]
kernelcov store load STORE clickhouse://HOST:PORT/DATABASE
kernelcov store history STORE STORE… [--json]
    Many runs of one kernel build in one folder of Parquet files. Every question takes a store where it takes a run.
    add             adds runs: folders, .tar and .tar.gz archives of them, folders with runs below, and patterns. In any
                    order; what the store has already is skipped; what is added when it is killed goes on from there
    list            what the store holds; --sql: statements that make views of its files in DuckDB
    compact         makes one segment of all, so that questions are fast
    prune           removes shards: all but the newest N, those begun before DATE (2026-01-31), or those named
    load            copies it to tables of ClickHouse that do not have it; with several servers
                    clickhouse://HOST:PORT,HOST:PORT/DATABASE?cluster=NAME. Questions take the address in place of a store
    history         how coverage goes from build to build, each a store or a run, oldest first: files and functions, lines
                    that lost it with the tests that had it, and tests that cover other lines. Other options as for which
    --by-line       add: also runs of other builds, as far as the lines that ran are the same in the store's; how much that
                    is, is said
    --vmlinux FILE  the kernel's image with debug information
    --modules DIR   a folder with the kernel's modules; may be repeated
`,
  run,
};

async function run(args: string[]): Promise<number> {
  if (args[0] === "history") return await storeHistory(args.slice(1));
  const { values, operands } = parseCommandLine(args, OPTIONS);
  const [action, directory, ...inputs] = operands;
  if (action === undefined) throw new UsageError(`Say what to do: ${ACTIONS}`);
  if (!/^(?:add|list|compact|prune|load)$/.test(action)) {
    throw new UsageError(`Unknown "${action}": use ${ACTIONS}`);
  }
  if (directory === undefined) throw new UsageError("Name the store's folder");
  if (action === "add") return await add(directory, inputs, values);
  if (action === "load") return await load(directory, inputs);
  if (inputs.length > 0) throw new UsageError(`Unexpected "${inputs[0]}": name one store`);
  if (action === "list") return list(directory, values);
  return await (action === "compact" ? compact(directory) : prune(directory, values));
}

async function add(directory: string, operands: string[], values: StoreValues): Promise<number> {
  if (operands.length === 0) throw new UsageError("Name the runs to add");
  const paths = inputPaths(operands);
  const { vmlinux, modules } = values;
  const load: ImageLoader = ({ kernel, modules: loaded, image }) =>
    loadRunImage(kernel, loaded, { vmlinux, modules, image });
  using writer = new StoreWriter(directory);
  const before = new Set(writer.manifest?.shards.map(({ id }) => id));
  const shards = new ShardWriter(writer, load);
  let projector: RunProjector | undefined;
  const byLine = values["by-line"]
    ? (build: NonNullable<ShardWriter["build"]>) => projector ??= new RunProjector(build, vmlinux)
    : undefined;
  const counts = { added: 0, known: 0, refused: 0 };
  /** Does a part of the work; where that cannot be read, or is of another build, the rest goes on. */
  const guarded = async (label: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof FormatError || error instanceof TypeError)) throw error;
      counts.refused++;
      warn(printable(`${label}: ${error.message}`));
    }
  };
  {
    using progress = new ProgressLine(process.stderr);
    const start = performance.now();
    const show = (): void => {
      const elapsed = performance.now() - start;
      const done = counts.added + counts.known;
      const text = `${plural(done, "run")}, ${Math.round(elapsed / 1000)} s`;
      if (elapsed > SHOW_AFTER_MS) progress.update(text, elapsed);
    };
    for (const path of paths) {
      await guarded(path, async () => {
        for await (const { label, folder } of inputsAt(path)) {
          await guarded(label, async () => {
            counts[await addRun(shards, folder, byLine)]++;
          });
          show();
        }
      });
    }
    await shards.commit();
  }
  const said = [
    `${plural(counts.added, "run")} added`,
    ...counts.known === 0 ? [] : [`${formatCount(counts.known)} already there`],
    ...counts.refused === 0 ? [] : [`${formatCount(counts.refused)} refused`],
  ].join(", ");
  const { manifest } = writer;
  process.stdout.write(`${printable(directory)}: ${said}; ${sizeText(manifest)}\n`);
  const added = (manifest?.shards ?? []).filter(({ id }) => !before.has(id));
  const projected = projectedText(added);
  if (projected !== undefined) process.stdout.write(`${projected}\n`);
  const left = leftText(added);
  if (left !== undefined) {
    process.stdout.write(`not in a store, which has points: ${left}: ask the runs for these\n`);
  }
  return counts.refused > 0 ? 1 : 0;
}

/** How much of runs of other builds a store has; `undefined` where there are none. */
function projectedText(shards: readonly StoreShard[]): string | undefined {
  const of = shards.flatMap(({ projected }) => projected ?? []);
  if (of.length === 0) return undefined;
  const kept = of.reduce((sum, one) => sum + one.kept, 0);
  const all = of.reduce((sum, one) => sum + one.kept + one.lost, 0);
  const builds = [...new Set(of.map(({ buildId }) => buildId.slice(0, 12)))].join(", ");
  return `projected from build ${builds}: ${formatCount(kept)} of ${
    plural(all, "hit")
  }, the others have no counterpart`;
}

/** What runs have and their store has not; `undefined` where that is nothing. */
function leftText(shards: readonly StoreShard[]): string | undefined {
  const sum = (what: keyof LeftInRuns): number =>
    shards.reduce((all, { leftInRuns }) => all + (leftInRuns?.[what] ?? 0), 0);
  const orders = sum("orders"), comparisons = sum("comparisons"), faults = sum("faults");
  const parts = [
    ...orders === 0 ? [] : [`the order of points of ${plural(orders, "record")}`],
    ...comparisons === 0 ? [] : [`${plural(comparisons, "record")} with comparisons`],
    ...faults === 0 ? [] : [`${plural(faults, "failed allocation")}`],
  ];
  return parts.length === 0 ? undefined : parts.join(", ");
}

async function load(directory: string, [address, ...more]: string[]): Promise<number> {
  if (address === undefined || more.length > 0) {
    throw new UsageError("Name the store and the address of one database");
  }
  const { ServerTables } = await import("../../store/clickhouse/server_tables.ts");
  const { loadTables } = await import("../../store/clickhouse/load_tables.ts");
  const tables = await ServerTables.open(address);
  try {
    const { loaded, known } = await loadTables(directory, tables);
    const said = known === 0 ? "" : `, ${formatCount(known)} already there`;
    process.stdout.write(`${printable(directory)}: ${plural(loaded, "segment")} loaded${said}\n`);
  } finally {
    await tables.close();
  }
  return 0;
}

async function compact(directory: string): Promise<number> {
  readManifest(directory);
  using writer = new StoreWriter(directory);
  await rewrite(writer, writer.manifest!, () => true);
  process.stdout.write(`${printable(directory)}: ${sizeText(writer.manifest)}\n`);
  return 0;
}

async function prune(directory: string, values: StoreValues): Promise<number> {
  const { keep, before, shard } = values;
  if ([keep, before, shard].filter((value) => value !== undefined).length !== 1) {
    throw new UsageError("Say what to remove by one of --keep, --before and --shard");
  }
  readManifest(directory);
  using writer = new StoreWriter(directory);
  const manifest = writer.manifest!;
  const stays = keptShards(manifest.shards, values);
  const removed = manifest.shards.filter((one) => !stays.has(one)).length;
  if (removed > 0) await rewrite(writer, manifest, (one) => stays.has(one));
  process.stdout.write(
    `${printable(directory)}: ${plural(removed, "shard")} removed; ${sizeText(writer.manifest)}\n`,
  );
  return 0;
}

function keptShards(
  shards: readonly StoreShard[],
  { keep, before, shard = [] }: StoreValues,
): ReadonlySet<StoreShard> {
  if (keep !== undefined) {
    const count = Number(keep);
    if (!/^\d+$/.test(keep) || count === 0) {
      throw new UsageError(`--keep "${keep}" is no number from 1`);
    }
    return new Set(shards.toSorted((a, b) => b.startedAt - a.startedAt).slice(0, count));
  }
  if (before !== undefined) {
    const time = Date.parse(before);
    if (Number.isNaN(time)) {
      throw new UsageError(`--before "${before}" is no date such as 2026-01-31`);
    }
    return new Set(shards.filter(({ startedAt }) => startedAt >= time));
  }
  for (const id of shard) {
    if (shards.some((one) => one.id === id)) continue;
    throw new UsageError(`The store has no shard "${id}": kernelcov store list names them`);
  }
  return new Set(shards.filter(({ id }) => !shard.includes(id)));
}

async function rewrite(
  writer: StoreWriter,
  manifest: StoreManifest,
  shards: (shard: StoreShard) => boolean,
): Promise<void> {
  using progress = new ProgressLine(process.stderr);
  const start = performance.now();
  let read = 0, shown = 0;
  await compactStore(writer, manifest, {
    shards,
    progress: (rows, all) => {
      read += rows;
      if (read - shown < 1_000_000) return;
      shown = read;
      const elapsed = performance.now() - start;
      const part = `${formatCount(read)} of ${formatCount(all)} hits`;
      progress.update(`${part}, ${Math.round(elapsed / 1000)} s`, elapsed);
    },
  });
}

function list(directory: string, { json, sql }: StoreValues): number {
  const manifest = readManifest(directory);
  if (sql) process.stdout.write(sqlViews(directory, manifest));
  else if (json) printJson(manifest);
  else {
    const { kernel, modules, segments, shards } = manifest;
    const lines = [
      `kernel ${kernel.release} ${kernel.machine}, build id ${kernel.buildId}`,
      ...modules.length === 0 ? [] : [`modules ${modules.map(({ name }) => name).join(" ")}`],
      sizeText(manifest) +
      (segments.length > 8 ? "; kernelcov store compact makes questions faster" : ""),
      ...shards.toSorted((a, b) => a.startedAt - b.startedAt).map(shardText),
    ];
    process.stdout.write(lines.map((line) => `${printable(line)}\n`).join(""));
  }
  return 0;
}

function shardText(shard: StoreShard): string {
  const { id, startedAt, records, damaged, lost, cut, otherKernel } = shard;
  const left = leftText([shard]), projected = projectedText([shard]);
  const missing = [
    ...damaged === 0 ? [] : [`${plural(damaged, "damaged record")}`],
    ...lost === 0 ? [] : [`${plural(lost, "record")} not written`],
    ...cut.length === 0 ? [] : [`${plural(cut.length, "record file")} without an end`],
    ...otherKernel === 0 ? [] : [`${plural(otherKernel, "record")} of another kernel left out`],
    ...projected === undefined ? [] : [projected],
    ...left === undefined ? [] : [`left in its run: ${left}`],
  ];
  const begun = new Date(startedAt).toISOString().replace(/\.\d+Z$/, "Z");
  return [`shard ${id}  ${begun}  ${plural(records, "record")}`, ...missing].join(", ");
}

function sizeText(manifest: StoreManifest | undefined): string {
  const { shards = [], segments = [] } = manifest ?? {};
  const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);
  const records = sum(segments.map((segment) => segment.records));
  const rows = sum(segments.map((segment) => segment.rows));
  const bytes = sum(segments.map((segment) => segment.bytes));
  return [
    plural(records, "record"),
    `${plural(rows, "hit")} of ${plural(shards.length, "shard")}`,
    `${plural(segments.length, "segment")} of ${(bytes / 1e6).toFixed(1)} MB`,
  ].join(", ");
}
