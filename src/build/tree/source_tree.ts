import { existsSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import type { GitState } from "../kernel_folder.ts";
import { runToEnd } from "../run_to_end.ts";

/** A Linux source tree of the user's. */
export interface SourceTree {
  /** Its real path. */
  readonly path: string;
  /** Such as `6.12.117`, or `6.18.0-rc3`. */
  readonly version: string;
  /** The first two numbers of the version. */
  readonly series: readonly [major: number, minor: number];
}

/** The oldest Linux that is built from. */
const OLDEST = [6, 1] as const;

/**
 * The Linux source tree in a folder.
 *
 * @throws {TypeError} It is none, or of a version before 6.1.
 */
export function sourceTree(folder: string): SourceTree {
  const makefile = join(folder, "Makefile");
  const isTree = ["Kconfig", "arch/um", "kernel/kcov.c"].every((name) =>
    existsSync(join(folder, name))
  );
  const text = isTree && existsSync(makefile) ? readFileSync(makefile, "utf8") : "";
  const value = (name: string): string =>
    new RegExp(`^${name} *=[ \t]*(.*)$`, "m").exec(text)?.[1].trim() ?? "";
  const series = [Number(value("VERSION")), Number(value("PATCHLEVEL"))] as const;
  if (value("VERSION") === "" || series.some(Number.isNaN)) {
    throw new TypeError(
      `${folder} is not a Linux source tree: name the folder with its Makefile, Kconfig and arch`,
    );
  }
  const version = `${series.join(".")}.${value("SUBLEVEL") || "0"}${value("EXTRAVERSION")}`;
  if (compareSeries(series, OLDEST) < 0) {
    throw new TypeError(`${folder} is Linux ${version}: use one from ${OLDEST.join(".")} on`);
  }
  return { path: realpathSync(folder), version, series };
}

/** Orders the first two numbers of versions: below 0 where `a` is the older one. */
export function compareSeries(
  a: SourceTree["series"],
  b: SourceTree["series"],
): number {
  return a[0] - b[0] || a[1] - b[1];
}

/** Where a tree is in its history; `undefined` where it is no git tree of its own, or git refuses to read it. */
export async function gitState(path: string): Promise<GitState | undefined> {
  // Another repository around an unpacked tree says nothing of it.
  if (!existsSync(join(path, ".git"))) return undefined;
  const [commit, changes, branch] = await Promise.all([
    git(path, "rev-parse", "HEAD"),
    git(path, "status", "--porcelain", "--untracked-files=no", "-z"),
    git(path, "symbolic-ref", "--quiet", "--short", "HEAD"),
  ]);
  if (commit === undefined || changes === undefined) return undefined;
  return {
    commit: commit.trim(),
    ...(branch === undefined ? {} : { branch: branch.trim() }),
    dirty: changes !== "",
  };
}

async function git(path: string, ...args: string[]): Promise<string | undefined> {
  // No lock: the tree is not to be written to, not even git's own list of its files.
  const { status, output } = await runToEnd(
    "git",
    ["--no-optional-locks", "-C", path, ...args],
    {},
  ).catch(() => ({ status: null, output: "" }));
  return status === 0 ? output : undefined;
}
