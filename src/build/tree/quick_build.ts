import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, dirname, join } from "node:path";
import { makeEnvironment } from "../kernel_make.ts";
import { runToEnd } from "../run_to_end.ts";
import type { CompiledUnit, CompiledUnits, Dependents } from "./compiled_units.ts";
import { inlineUsers } from "./inline_users.ts";
import type { LinkSteps, SymbolTableSteps } from "./link_trace.ts";

/** How long the parts of a build took, in milliseconds. */
export interface QuickStages {
  readonly compile: number;
  readonly link: number;
}

/** What became of a build without make. */
export type QuickBuild =
  /** Only make knows what to do. */
  | { readonly kind: "unable"; readonly reason: string }
  | { readonly kind: "failed"; readonly output: string }
  | {
    readonly kind: "built";
    /** Warnings. */
    readonly output: string;
    /** Sources of the units that were compiled. */
    readonly sources: readonly string[];
    readonly stages: QuickStages;
  };

/** Units that are compiled one by one: with more of them make is as fast. */
const MOST_UNITS = 64;

/** The program of kbuild that notes what an object depends on. */
const FIXDEP = "./scripts/basic/fixdep";

/** Links until the table of symbols, which is part of the image, is that of the image. */
const MOST_LINKS = 4;

/**
 * Builds a mirror's `vmlinux` anew where some of its files have changed: compiles the units that depend on them with the
 * commands that kbuild noted, and links once. A second time only where the addresses of symbols have changed, which the
 * kernel has a table of.
 *
 * @param symbolsFile has the symbols that the image's table was made of
 * @param inlines of changed headers the inline functions that alone have changed: only what uses them is compiled
 */
export async function quickBuild(
  mirror: string,
  changed: readonly string[],
  units: CompiledUnits,
  steps: LinkSteps,
  symbolsFile: string,
  inlines: ReadonlyMap<string, readonly string[]> = new Map(),
): Promise<QuickBuild> {
  const affected = new Map<string, CompiledUnit>();
  for (const file of changed) {
    if (!/\.[chS]$/.test(file)) return { kind: "unable", reason: `${file} is no C file` };
    const { units: found, others } = usersOf(mirror, file, units, inlines.get(file));
    if (others) return { kind: "unable", reason: `more than objects depends on ${file}` };
    for (const unit of found) affected.set(unit.object, unit);
  }
  if (affected.size > MOST_UNITS) {
    return { kind: "unable", reason: `${affected.size} objects depend on it` };
  }
  const started = performance.now();
  const failed: string[] = [], said: string[] = [];
  const queue = [...affected.values()];
  const workers = Array.from({ length: availableParallelism() }, async () => {
    for (let unit = queue.shift(); unit !== undefined; unit = queue.shift()) {
      const { status, output } = await compile(mirror, unit);
      (status === 0 ? said : failed).push(output);
      if (status === 0) units.refresh(unit.object);
    }
  });
  await Promise.all(workers);
  if (failed.length > 0) return { kind: "failed", output: failed.join("") };
  const compiled = performance.now();
  const problem = await refreshArchives(mirror, [...affected.keys()], steps) ??
    await linkAll(mirror, steps, symbolsFile);
  if (problem !== undefined) return { kind: "failed", output: problem };
  return {
    kind: "built",
    output: said.join(""),
    sources: [...affected.values()].map(({ source }) => source),
    stages: { compile: compiled - started, link: performance.now() - compiled },
  };
}

/** What is to be compiled where a file has changed, or in a header only the bodies of some inline functions. */
function usersOf(
  mirror: string,
  file: string,
  units: CompiledUnits,
  inlines: readonly string[] | undefined,
): Dependents {
  const all = units.dependents(file);
  if (inlines === undefined) return all;
  if (inlines.length === 0) return { units: [], others: false };
  const texts = new Map<string, string>();
  const add = (file: string): void => {
    const path = join(mirror, file);
    if (!texts.has(file) && existsSync(path)) texts.set(file, readFileSync(path, "latin1"));
  };
  for (const unit of all.units) unit.files.forEach(add);
  if (all.others) units.otherFiles.forEach(add);
  const users = inlineUsers(inlines, texts);
  if (users === undefined) return all;
  return {
    units: all.units.filter(({ files }) => files.some((file) => users.has(file))),
    others: all.others && [...units.otherFiles].some((file) => users.has(file)),
  };
}

function shell(mirror: string, script: string): Promise<{ status: number | null; output: string }> {
  // What was edited just now is in no cache: ccache need not run the preprocessor to see that.
  const env = { ...makeEnvironment(), CCACHE_DEPEND: "1" };
  return runToEnd("sh", ["-c", script], { cwd: mirror, env });
}

async function compile(
  mirror: string,
  { object, command, saved }: CompiledUnit,
): Promise<{ status: number | null; output: string }> {
  // An object that was written in part must not be newer than its source.
  const done = await shell(mirror, command);
  if (done.status !== 0) {
    rmSync(join(mirror, object), { force: true });
    return done;
  }
  const folder = dirname(object), name = basename(object);
  const dependencies = join(folder, `.${name}.d`), note = join(folder, `.${name}.cmd`);
  if (!existsSync(join(mirror, dependencies))) return done;
  const args = [dependencies, object, saved];
  const fixdep = await runToEnd(FIXDEP, args, { cwd: mirror, env: {} });
  if (fixdep.status !== 0) return fixdep;
  writeFileSync(join(mirror, `${note}.tmp`), fixdep.output);
  renameSync(join(mirror, `${note}.tmp`), join(mirror, note));
  rmSync(join(mirror, dependencies), { force: true });
  return done;
}

/**
 * Archives name their objects, and so hold what was compiled anew; those that the linker takes single objects from have
 * an index of symbols too.
 */
async function refreshArchives(
  mirror: string,
  objects: readonly string[],
  { link }: LinkSteps,
): Promise<string | undefined> {
  for (const archive of link.split(" ").filter((word) => /(?:^|\/)lib\.a$/.test(word))) {
    const folder = `${dirname(archive)}/`;
    if (!objects.some((object) => object.startsWith(folder))) continue;
    const note = join(mirror, folder, `.${basename(archive)}.cmd`);
    const command = /^(?:saved)?cmd_\S+ := (.*)$/m.exec(readFileSync(note, "utf8"))?.[1];
    if (command === undefined) return `Cannot find how ${archive} is made`;
    const { status, output } = await shell(mirror, command.replaceAll("$$", "$"));
    if (status !== 0) return output;
  }
  return undefined;
}

async function linkAll(
  mirror: string,
  steps: LinkSteps,
  symbolsFile: string,
): Promise<string | undefined> {
  for (let links = 0; links < MOST_LINKS; links++) {
    const script = ["set -e", steps.link, ...steps.finish].join("\n");
    const linked = await shell(mirror, script);
    if (linked.status !== 0) return linked.output;
    if (steps.table === undefined) return undefined;
    const symbols = await runToEnd("sh", ["-c", steps.symbols], { cwd: mirror });
    if (symbols.status !== 0) return symbols.output;
    if (existsSync(symbolsFile) && readFileSync(symbolsFile, "utf8") === symbols.output) {
      return undefined;
    }
    const made = await makeTable(mirror, steps.table, symbols.output);
    if (made !== undefined) return made;
    writeFileSync(symbolsFile, symbols.output);
  }
  return "The table of symbols changes with each link: run make";
}

async function makeTable(
  mirror: string,
  { print, takesFile, assembly, assemble }: SymbolTableSteps,
  symbols: string,
): Promise<string | undefined> {
  const file = `${assembly}.syms`;
  writeFileSync(join(mirror, file), symbols);
  const script = `set -e\n${print} ${takesFile ? "" : "<"}${file} >${assembly}\n${assemble}`;
  const { status, output } = await shell(mirror, script);
  return status === 0 ? undefined : output;
}

/** The symbols of an image that make has just linked, whose table was made of them. */
export async function writeSymbols(
  mirror: string,
  { symbols }: LinkSteps,
  symbolsFile: string,
): Promise<void> {
  const { status, output } = await runToEnd("sh", ["-c", symbols], { cwd: mirror });
  if (status === 0) writeFileSync(symbolsFile, output);
  else rmSync(symbolsFile, { force: true });
}
