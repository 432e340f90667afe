import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import process from "node:process";
import { KcovUnavailableError } from "../../errors.ts";
import { writeWhole } from "../../sys/written_files.ts";
import { RECIPE_FOLDER } from "../kernel_folder.ts";
import { keepLineNumbers } from "./line_numbers.ts";
import { copyEntry } from "./mirror_tree.ts";
import type { TreeStamps } from "./scan_tree.ts";
import { compareSeries, type SourceTree } from "./source_tree.ts";
import type { PatchVariant, TreePatch } from "./tree_patches.ts";

/** What patches did to a tree's mirror. */
export interface PatchedTree {
  /** Patches that the mirror has, by name. */
  readonly applied: readonly string[];
  /** Those that it has not. */
  readonly leftOut: readonly LeftOutPatch[];
  /** The paths of files that may differ from the tree's. */
  readonly files: readonly string[];
  /** Changes with the patches and the files that they change. */
  readonly key: string;
}

/** A patch that a tree cannot have. */
export interface LeftOutPatch {
  readonly name: string;
  /** What is missing without it. */
  readonly lack: string;
}

/** Paths of the files that any form of the patches changes. */
export function patchedFiles(patches: readonly TreePatch[]): Set<string> {
  return new Set(patches.flatMap(({ variants }) => variants.flatMap(({ files }) => files)));
}

/** The folders of a tree that is patched. */
export interface Places {
  readonly tree: string;
  readonly mirror: string;
  /** For the text of patched files, which debug information names for added lines. */
  readonly added: string;
  /** File for what is kept between calls. */
  readonly state: string;
}

/**
 * Puts the files that patches change into a mirror, with those patches that fit. The files keep the tree's own line
 * numbers, and those that come out as they were are not written.
 *
 * @throws {KcovUnavailableError} A patch that was made for this version does not fit, or one that is required: the
 *   message names the file and the hunk.
 */
export function patchMirror(
  tree: SourceTree,
  places: Places,
  stamps: TreeStamps,
  patches: readonly TreePatch[],
): PatchedTree {
  const { mirror, state: stateFile } = places;
  const files = [...patchedFiles(patches)].sort();
  const key = keyOf(patches, files.map((file) => stamps.get(file)));
  const before = readState(stateFile);
  if (before?.key === key) return before;
  const staging = `${mirror}.patching`;
  rmSync(staging, { recursive: true, force: true });
  try {
    for (const file of files) if (stamps.has(file)) stage(tree.path, staging, file);
    const { applied, leftOut } = applyAll(tree, staging, patches);
    adapt(tree, staging);
    for (const file of before?.files ?? []) {
      if (!files.includes(file)) restore(tree.path, mirror, file, stamps.has(file));
    }
    for (const file of files) put(places, staging, file);
    const state: PatchedTree = { key, applied, leftOut, files };
    writeWhole(stateFile, [JSON.stringify(state)]);
    return state;
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

function keyOf(patches: readonly TreePatch[], stamps: readonly (string | undefined)[]): string {
  const hash = createHash("sha256");
  for (const { text } of patches.flatMap(({ variants }) => variants)) hash.update(text);
  return hash.update(JSON.stringify(stamps)).digest("hex");
}

function stage(from: string, to: string, file: string): void {
  mkdirSync(dirname(join(to, file)), { recursive: true });
  copyEntry(join(from, file), join(to, file));
}

function restore(tree: string, mirror: string, file: string, isThere: boolean): void {
  if (isThere) stage(tree, mirror, file);
  else rmSync(join(mirror, file), { force: true });
}

/**
 * Where user-mode Linux keeps the current task in a variable, there is nothing to compare it with: of older ones it is
 * read from the stack, which need not be a task's.
 */
function adapt(tree: SourceTree, folder: string): void {
  const file = join(folder, "kernel/kcov.c");
  if (!existsSync(join(tree.path, "arch/um/include/asm/current.h")) || !existsSync(file)) return;
  const text = readFileSync(file, "utf8");
  writeWhole(file, [text.replaceAll("READ_ONCE(cpu_tasks[0].task)", "current")]);
}

/** Puts a staged file into the mirror, and beside it, for reports, the text of lines that patches added. */
function put({ tree, mirror, added }: Places, staging: string, file: string): void {
  const staged = join(staging, file), to = join(mirror, file), original = join(tree, file);
  if (!existsSync(staged)) {
    rmSync(to, { force: true });
    return;
  }
  const patched = readFileSync(staged, "utf8");
  let text = patched;
  if (existsSync(original) && /\.[ch]$/.test(file)) {
    const own = readFileSync(original, "utf8");
    const copy = join(added, file.replace(/(\.\w+)$/, ".patched$1"));
    text = keepLineNumbers(own, patched, { own: file, added: copy });
    if (text !== own) writeIfChanged(copy, patched);
    writeIfChanged(originalOf(added, file), own);
  }
  writeIfChanged(to, text);
}

/** Where the text of a patched file is kept as it was before, and as the tree has it. */
export function originalOf(added: string, file: string): string {
  return join(added, `${file}.original`);
}

function writeIfChanged(path: string, text: string): void {
  if (!existsSync(path) || readFileSync(path, "utf8") !== text) writeWhole(path, [text]);
}

/** A variant of a patch that does not fit. */
interface Misfit {
  readonly variant: PatchVariant;
  readonly reason: string;
}

function applyAll(
  tree: SourceTree,
  folder: string,
  patches: readonly TreePatch[],
): Pick<PatchedTree, "applied" | "leftOut"> {
  const applied: string[] = [];
  const leftOut: LeftOutPatch[] = [];
  for (const patch of patches) {
    if (!patch.needs.every((name) => applied.includes(name))) {
      leftOut.push(patch);
      continue;
    }
    const misfits: Misfit[] = [];
    const fits = patch.variants.some((variant) => {
      const reason = runPatch(folder, variant, ["--dry-run"]);
      if (reason !== undefined) misfits.push({ variant, reason });
      else runPatch(folder, variant, []);
      return reason === undefined;
    });
    if (fits) applied.push(patch.name);
    else {
      const own = misfits.find(({ variant }) => compareSeries(variant.series, tree.series) === 0);
      const decisive = own ?? (patch.required ? misfits[0] : undefined);
      if (decisive !== undefined) throw misfitError(tree, decisive);
      leftOut.push(patch);
    }
  }
  return {
    applied,
    leftOut: leftOut.map(({ name, lack }) => ({ name, lack })),
  };
}

function misfitError({ path, version }: SourceTree, { variant, reason }: Misfit): Error {
  return new KcovUnavailableError(
    "not-built-in",
    `${
      relative(RECIPE_FOLDER, variant.file)
    } does not fit Linux ${version} in ${path}: ${reason}: ` +
      "undo the change there, or build with --no-patch, which goes on with the tree's own KCOV",
  );
}

/** Applies a patch; where it does not fit, the first file and hunk that do not. */
function runPatch(
  folder: string,
  { file, files }: PatchVariant,
  options: readonly string[],
): string | undefined {
  mkdirSync(folder, { recursive: true });
  const run = spawnSync(
    "patch",
    ["-p1", "--fuzz=0", "--batch", "--forward", "--no-backup-if-mismatch", "-r", "-", ...options]
      .concat("-i", file),
    { cwd: folder, encoding: "utf8", env: { ...process.env, LC_ALL: "C" } },
  );
  if (run.error !== undefined) {
    throw new KcovUnavailableError(
      "not-built-in",
      "The program patch is missing: install it with apt-get install patch",
      { cause: run.error },
    );
  }
  return run.status === 0 ? undefined : misfitOf(run.stdout, files);
}

/** What `patch` says of the first file and hunk that do not fit, as words. */
function misfitOf(output: string, files: readonly string[]): string {
  let file = files[0];
  for (const line of output.split("\n")) {
    file = /^(?:patching|checking) file '?([^']+?)'?$/.exec(line)?.[1] ?? file;
    const hunk = /^Hunk #(\d+) FAILED at (\d+)/.exec(line);
    if (hunk !== null) return `${file}, hunk ${hunk[1]}, at line ${hunk[2]}`;
    const missing = /^can't find file to patch/.test(line);
    if (missing) return `${nameAfter(output, line) ?? file}, which is missing`;
    if (/^Reversed \(or previously applied\)/.test(line)) return `${file}, which has it already`;
  }
  return `${file}: ${output.trim().split("\n").at(-1) ?? ""}`;
}

/** The file's name in the part of a patch that `patch` shows where it finds no such file. */
function nameAfter(output: string, line: string): string | undefined {
  return /^\|\+\+\+ b\/(\S+)/m.exec(output.slice(output.indexOf(line)))?.[1];
}

function readState(file: string): PatchedTree | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}
