import { createHash } from "node:crypto";
import { accessSync, constants, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SyscallError } from "../errors.ts";
import type { RunSource } from "../record/test_record.ts";
import { cacheFolderPath } from "../sys/cache_folder.ts";

/** Folder with the kernel's configuration and patches. */
export const RECIPE_FOLDER: string = fileURLToPath(new URL("./recipe/", import.meta.url));

/** Debian's package with the kernel's source. */
export const SOURCE_PACKAGE = "linux-source-6.12";

/**
 * Compiler options that change code.
 *
 * `-mcmodel=small`: with the large model of user-mode Linux every call of the coverage function is indirect, and no
 * coverage point can be found. `-fno-optimize-sibling-calls`: a point that is a jump instead of a call would record an
 * address in some other function.
 */
export const CODE_OPTIONS: readonly string[] = ["-mcmodel=small", "-fno-optimize-sibling-calls"];

/**
 * Compiler options.
 *
 * Those for debug information leave out the members of structures and the places of variables, which nothing here reads:
 * a third of it and more. Line rows and inlined functions stay as they are, and so do labels and return types, which `-g1`
 * leaves out: a label has no row, and a closing brace stands for a `return` without a value only.
 */
export const COMPILER_OPTIONS: readonly string[] = [
  ...CODE_OPTIONS,
  "-g",
  "-femit-struct-debug-detailed=none",
  "-gstatement-frontiers",
  "-fno-var-tracking",
];

/** As {@linkcode COMPILER_OPTIONS}. With `-g1` clang leaves out where functions are declared. */
export const CLANG_OPTIONS: readonly string[] = ["-mcmodel=small", "-fno-optimize-sibling-calls"];

/** Folder that the debug information names as the source's, wherever it was built. */
export const DEBUG_SOURCE_PREFIX = `/usr/src/${SOURCE_PACKAGE}`;

/** A kernel that is built, or to be built, as a folder. */
export interface KernelFolder {
  readonly path: string;
  /** ELF file with debug information. */
  readonly vmlinux: string;
  /** The same without debug information: what is started. */
  readonly linux: string;
  /** The patched source that it was built from. */
  readonly source: string;
  readonly log: string;
  /** Written last: the kernel is complete. */
  readonly manifest: string;
}

/** What was built, as `kernel.json`. */
export interface KernelManifest {
  readonly recipe: string;
  readonly sourceVersion: string;
  readonly compiler: string;
  readonly files: number;
  readonly seconds: number;
  /** Only of a kernel that was built from a tree of the user's. */
  readonly tree?: BuiltTree;
}

/** The tree of the user's that a kernel was built from. */
export interface BuiltTree {
  readonly path: string;
  /** Of the image. */
  readonly buildId: string;
  /** Absent where it is no git tree. */
  readonly git?: GitState;
  /** Names the options that it was built with: kernels of one tree with the same ones replace each other. */
  readonly variant: string;
  /** The options of the command line that differ from the default. */
  readonly options: readonly string[];
  /** The patches that it has, by name. */
  readonly patches: readonly string[];
  /** When it was built, in milliseconds since 1970. */
  readonly builtAt: number;
}

/** Where a tree is in its history. */
export type GitState = NonNullable<RunSource["git"]>;

/**
 * {@linkcode cacheFolderPath}, made if missing.
 *
 * @throws {SyscallError} it cannot be made or written to.
 */
export function cacheFolder(): string {
  const folder = cacheFolderPath();
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
  } catch (cause) {
    const { syscall, errno, code } = cause as NodeJS.ErrnoException & { errno: number };
    throw new SyscallError(
      syscall ?? "mkdir",
      Math.abs(errno),
      code ?? "",
      `Cannot write to the cache folder ${folder}: ${code}: set XDG_CACHE_HOME to a folder that you may write to`,
      { cause },
    );
  }
  return folder;
}

/** Folder of all embedded kernels, which need not exist. */
export function kernelsFolder(): string {
  return join(cacheFolderPath(), "kernels");
}

/** The names of a kernel's files. */
export function kernelFolder(path: string): KernelFolder {
  return {
    path,
    vmlinux: join(path, "vmlinux"),
    linux: join(path, "linux"),
    source: join(path, "source"),
    log: join(path, "build.log"),
    manifest: join(path, "kernel.json"),
  };
}

/** File names of the kernel's patches, in the order in which they apply. */
export function kernelPatches(): string[] {
  return readdirSync(RECIPE_FOLDER).filter((name) => name.endsWith(".patch")).sort();
}

/**
 * Hash of all that kernelcov itself puts into a kernel: configuration, patches and compiler options; and of the options
 * that a user adds to them.
 */
export function recipeHash(fragment = ""): string {
  const hash = createHash("sha256");
  for (const name of ["config", ...kernelPatches()]) {
    hash.update(readFileSync(join(RECIPE_FOLDER, name)));
  }
  return hash.update(COMPILER_OPTIONS.join(" ")).update(fragment).digest("hex").slice(0, 16);
}

/** Name of a kernel's folder: the source's version, and a hash of it, the recipe and the compiler. */
export function kernelFolderName(recipe: string, sourceVersion: string, compiler: string): string {
  const hash = createHash("sha256").update([recipe, sourceVersion, compiler].join("\n"));
  const version = sourceVersion.replace(/[^A-Za-z0-9.+~-]/g, "_");
  return `${version}-${hash.digest("hex").slice(0, 12)}`;
}

/** The manifest of a complete kernel; `undefined` where there is none. */
export function readManifest(folder: KernelFolder): KernelManifest | undefined {
  try {
    return JSON.parse(readFileSync(folder.manifest, "utf8"));
  } catch {
    return undefined;
  }
}
