import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { KcovUnavailableError } from "../../errors.ts";
import { writeWhole } from "../../sys/written_files.ts";
import { withLock } from "../build_lock.ts";
import {
  estimateBuild,
  EXPECTED_FILES,
  formatDuration,
  formatProgress,
  formatStage,
  isCompileCommand,
  isLinkCommand,
  ProgressLine,
} from "../build_progress.ts";
import { ensurePackages, neededPackages } from "../debian_packages.ts";
import {
  cacheFolder,
  type GitState,
  type KernelFolder,
  kernelFolder,
  type KernelManifest,
  readManifest,
  SOURCE_PACKAGE,
} from "../kernel_folder.ts";
import { make, type MakeFolder } from "../kernel_make.ts";
import { linkSteps } from "./link_trace.ts";
import { mirrorsAll, mirrorTree } from "./mirror_tree.ts";
import { sayLacks, UNPATCHED_LACKS } from "./say_lacks.ts";
import { patchedFiles, type PatchedTree, patchMirror } from "./patch_mirror.ts";
import { writeSymbols } from "./quick_build.ts";
import type { TreeStamps } from "./scan_tree.ts";
import { gitState, type SourceTree, sourceTree } from "./source_tree.ts";
import { storeKernel } from "./store_kernel.ts";
import { lastBuild, type TreeFolder, treeFolder } from "./tree_folder.ts";
import { checkTreeConfig, type TreeConfig, treeConfig, type UserConfig } from "./tree_options.ts";
import { patchesFor, plainPatches, type TreePatch } from "./tree_patches.ts";

/** What is to be built of a tree of the user's. */
export interface TreeRequest {
  /** The tree's folder. */
  readonly source: string;
  readonly config?: UserConfig | undefined;
  /** With clang and its tools. */
  readonly llvm?: boolean | undefined;
  /** Whether kernelcov's patches are applied; without them the kernel has only the tree's own KCOV. */
  readonly patch?: boolean | undefined;
}

/** A kernel that was built from a tree of the user's. */
export interface TreeKernel {
  readonly folder: KernelFolder;
  readonly manifest: KernelManifest;
}

/** What a build works with. */
export interface TreeBuild {
  readonly tree: SourceTree;
  readonly folder: TreeFolder;
  readonly make: MakeFolder;
  readonly patches: readonly TreePatch[];
  readonly config: TreeConfig;
  readonly variant: string;
  readonly options: readonly string[];
  readonly compiler: string;
  readonly progress: ProgressLine;
}

/** Debian's packages for `--llvm`. */
export const CLANG_PACKAGES = ["clang", "lld", "llvm"];

/**
 * Builds the kernel of a tree of the user's, or what has changed of it since the last time. The tree is only read.
 *
 * @throws {TypeError} The folder is no Linux tree from 6.1 on, or the configuration is invalid.
 * @throws {KcovUnavailableError} Packages are missing, a patch does not fit, an option is refused, or the build failed.
 */
export async function buildTreeKernel(
  request: TreeRequest,
  output: ConstructorParameters<typeof ProgressLine>[0] = process.stderr,
): Promise<TreeKernel> {
  return await buildTree(await prepareTree(request, output));
}

/**
 * Looks at a tree, and installs what its build needs.
 *
 * @throws As {@linkcode buildTreeKernel}.
 */
export async function prepareTree(
  request: TreeRequest,
  output: ConstructorParameters<typeof ProgressLine>[0] = process.stderr,
): Promise<TreeBuild> {
  const { source, config: user, llvm = false, patch = true } = request;
  const tree = sourceTree(source);
  const config = treeConfig(user);
  const progress = new ProgressLine(output);
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new KcovUnavailableError(
      "not-linux",
      `User-mode Linux needs x86-64 Linux, and this is ${process.platform} on ${process.arch}: use a machine of that kind`,
    );
  }
  const packages = neededPackages().filter((name) => name !== SOURCE_PACKAGE);
  await ensurePackages([...packages, ...llvm ? CLANG_PACKAGES : []], progress);
  const compiler = compilerVersion(llvm ? "clang" : "gcc");
  const options = [
    ...user === undefined ? [] : [`--config ${user.origin}`],
    ...llvm ? ["--llvm"] : [],
    ...patch ? [] : ["--no-patch"],
  ];
  const variant = createHash("sha256")
    .update(JSON.stringify([config.text, llvm, patch, compiler])).digest("hex").slice(0, 12);
  cacheFolder();
  const folder = treeFolder(tree.path, variant);
  return {
    tree,
    folder,
    make: { source: folder.mirror, log: folder.log, debugName: tree.path, llvm },
    patches: patch ? patchesFor(tree) : plainPatches(),
    config,
    variant,
    options,
    compiler,
    progress,
  };
}

/** Builds a tree with make, where something has changed. */
export async function buildTree(build: TreeBuild): Promise<TreeKernel> {
  return await lockTree(build, () => buildLocked(build));
}

/** Runs `body` while no other process builds the tree. */
export async function lockTree<T>(
  { folder, progress }: TreeBuild,
  body: () => Promise<T>,
): Promise<T> {
  mkdirSync(folder.path, { recursive: true });
  return await withLock(
    folder.lock,
    (pid) => progress.say(`Waiting for the build that process ${pid} runs`),
    body,
  );
}

async function buildLocked(build: TreeBuild): Promise<TreeKernel> {
  try {
    return await buildOnce(build, false);
  } catch (error) {
    const isIncomplete = error instanceof KcovUnavailableError &&
      /No such file or directory|No rule to make target|file not found/.test(error.message);
    if (!isIncomplete || mirrorsAll(build.folder.scan)) throw error;
    // The tree needs a file that user-mode Linux is not known to need.
    return await buildOnce(build, true);
  }
}

async function buildOnce(build: TreeBuild, all: boolean): Promise<TreeKernel> {
  const { tree, folder, config, patches, progress } = build;
  const started = performance.now();
  const seconds = (): number => (performance.now() - started) / 1000;
  const isFirst = !existsSync(folder.scan);
  if (isFirst) {
    progress.say(`Building Linux ${tree.version} of ${tree.path}: ${estimateBuild()}`);
    progress.update(formatStage("Copying the source", 0), performance.now());
  }
  const { changed, stamps } = mirrorTree(tree.path, folder.mirror, folder.scan, {
    all,
    except: patchedFiles(patches),
  });
  const patched = patchTree(build, stamps);
  const key = keyOf(build, stamps, patched);
  const last = lastBuild(folder);
  if (last?.key === key) {
    const kernel = kernelFolder(last.kernel);
    const manifest = readManifest(kernel);
    if (manifest !== undefined) return { folder: kernel, manifest };
  }
  writeFileSync(folder.log, "");
  const isSetUp = !changed.some(isConfiguring) && readText(folder.configured) === config.text;
  if (!isSetUp) {
    await progress.during(
      () => formatStage("Configuring the kernel", seconds()),
      configure(build),
    );
  }
  if (isFirst || !isSetUp) {
    const unpatched = build.options.includes("--no-patch")
      ? `${UNPATCHED_LACKS}; the command can mount any folder of the host`
      : undefined;
    sayLacks(build.progress, patched, unpatched);
  }
  const files = await compile(build, isFirst, seconds);
  await noteLink(build);
  const git = await gitState(tree.path);
  const kernel = keepKernel(build, patched, key, { files, seconds: Math.round(seconds()), git });
  progress.say(`Built Linux ${tree.version} of ${tree.path} in ${formatDuration(seconds())}`);
  return kernel;
}

/** Applies the patches to the mirror. */
export function patchTree({ tree, folder, patches }: TreeBuild, stamps: TreeStamps): PatchedTree {
  const { mirror, added, patches: state } = folder;
  return patchMirror(tree, { tree: tree.path, mirror, added, state }, stamps, patches);
}

/** Changes with all that goes into a build. */
export function keyOf(
  { config }: TreeBuild,
  stamps: TreeStamps,
  patched: PatchedTree,
): string {
  return createHash("sha256")
    .update(JSON.stringify([...stamps])).update(patched.key).update(config.text).digest("hex");
}

/**
 * Keeps the image that was built, and notes it as the tree's last.
 *
 * @param strip whether what is started goes without debug information, which takes a moment to take out
 */
export function keepKernel(
  { tree, folder, make: { llvm }, variant, options, compiler }: TreeBuild,
  patched: PatchedTree,
  key: string,
  took: {
    readonly files: number;
    readonly seconds: number;
    readonly git: GitState | undefined;
  },
  strip = true,
): TreeKernel {
  const kernel = storeKernel({
    mirror: folder.mirror,
    added: folder.added,
    tree: tree.path,
    version: tree.version,
    log: folder.log,
    strip: strip ? llvm ? "llvm-strip" : "strip" : undefined,
  }, (buildId) => ({
    recipe: `tree ${variant}`,
    sourceVersion: tree.version,
    compiler,
    files: took.files,
    seconds: took.seconds,
    tree: {
      path: tree.path,
      buildId,
      ...took.git === undefined ? {} : { git: took.git },
      variant,
      options,
      patches: patched.applied,
      builtAt: Date.now(),
    },
  }));
  writeWhole(folder.built, [JSON.stringify({ tree: tree.path, key, kernel: kernel.folder.path })]);
  return kernel;
}

/** Notes how make has just linked the image, for builds of single units. */
async function noteLink({ folder }: TreeBuild): Promise<void> {
  const log = readFileSync(folder.log, "utf8");
  if (!/^\+ .* -o vmlinux(?: |$)/m.test(log)) return;
  const steps = linkSteps(log);
  if (steps === undefined) {
    rmSync(folder.link, { force: true });
    return;
  }
  await writeSymbols(folder.mirror, steps, folder.symbols);
  writeWhole(folder.link, [JSON.stringify(steps)]);
}

/** Whether a change of a file can change the configuration. */
export function isConfiguring(path: string): boolean {
  return /(?:^|\/)(?:Kconfig|Makefile)[^/]*$|^scripts\//.test(path);
}

async function configure({ folder, make: from, config, tree, progress }: TreeBuild): Promise<void> {
  const { text, target } = config;
  const file = join(folder.path, "config");
  writeFileSync(file, text);
  if (target === "olddefconfig") writeFileSync(join(folder.mirror, ".config"), text);
  await make(from, [target], target === "allnoconfig" ? { KCONFIG_ALLCONFIG: file } : {});
  const made = readFileSync(join(folder.mirror, ".config"), "utf8");
  const { missing, lost } = checkTreeConfig(config, made);
  if (missing.length > 0) {
    progress.say(`Linux ${tree.version} does not have ${missing.map(optionName).join(", ")}`);
  }
  if (lost.length > 0) progress.say(`The tree's Kconfig does not accept ${lost.join(", ")}`);
  writeWhole(folder.configured, [text]);
}

/** The name of the option in a line of a configuration. */
export function optionName(line: string): string {
  return /CONFIG_\w+/.exec(line)![0];
}

async function compile(
  { make: from, progress }: TreeBuild,
  isFirst: boolean,
  seconds: () => number,
): Promise<number> {
  let done = 0, linking = false;
  const preparation = seconds();
  // With all commands: those of the link are noted.
  const made = make(from, ["V=1", "vmlinux"], {}, (line) => {
    if (isCompileCommand(line)) done++;
    if (isLinkCommand(line)) linking = true;
  });
  const expected = isFirst ? EXPECTED_FILES : 0;
  await progress.during(
    () => formatProgress({ done, expected, seconds: seconds(), preparation, resumed: 0, linking }),
    made,
  );
  return done;
}

/**
 * First line of a compiler's description of itself.
 *
 * @throws {KcovUnavailableError} It cannot be run.
 */
export function compilerVersion(compiler: string): string {
  const run = spawnSync(compiler, ["--version"], { encoding: "utf8" });
  if (run.status === 0) return run.stdout.split("\n")[0];
  throw new KcovUnavailableError(
    "not-built-in",
    `${compiler} cannot be used although it is installed: check that it is on the PATH`,
  );
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
