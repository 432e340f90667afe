import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
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
  isCompiledFile,
  isLinkStep,
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
import { mirrorsAll, mirrorTree } from "./mirror_tree.ts";
import { patchedFiles, type PatchedTree, patchMirror } from "./patch_mirror.ts";
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
interface TreeBuild {
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

const CLANG_PACKAGES = ["clang", "lld", "llvm"];

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
  const build: TreeBuild = {
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
  mkdirSync(folder.path, { recursive: true });
  return await withLock(
    folder.lock,
    (pid) => progress.say(`Waiting for the build that process ${pid} runs`),
    () => buildLocked(build),
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
  const places = {
    tree: tree.path,
    mirror: folder.mirror,
    added: folder.added,
    state: folder.patches,
  };
  const patched = patchMirror(tree, places, stamps, patches);
  const key = createHash("sha256")
    .update(JSON.stringify([...stamps])).update(patched.key).update(config.text).digest("hex");
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
  if (isFirst || !isSetUp) sayLacks(build, patched);
  const files = await compile(build, isFirst, seconds);
  const kernel = storeKernel({
    mirror: folder.mirror,
    added: folder.added,
    tree: tree.path,
    version: tree.version,
    log: folder.log,
    strip: build.make.llvm ? "llvm-strip" : "strip",
  }, {
    recipe: `tree ${build.variant}`,
    sourceVersion: tree.version,
    compiler: build.compiler,
    files,
    seconds: Math.round(seconds()),
    tree: {
      path: tree.path,
      ...gitOf(tree),
      variant: build.variant,
      options: build.options,
      patches: patched.applied,
      builtAt: Date.now(),
    },
  });
  writeWhole(folder.built, [JSON.stringify({ tree: tree.path, key, kernel: kernel.folder.path })]);
  progress.say(`Built Linux ${tree.version} of ${tree.path} in ${formatDuration(seconds())}`);
  return kernel;
}

function gitOf({ path }: SourceTree): { readonly git?: GitState } {
  const git = gitState(path);
  return git === undefined ? {} : { git };
}

/** Whether a change of a file can change the configuration. */
function isConfiguring(path: string): boolean {
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

function optionName(line: string): string {
  return /CONFIG_\w+/.exec(line)![0];
}

/** Says what the kernel lacks. */
function sayLacks({ options, progress }: TreeBuild, { leftOut }: PatchedTree): void {
  if (options.includes("--no-patch")) {
    progress.say(
      "Without kernelcov's patches: each point is stored once for each time it runs, so long tests are truncated; programs " +
        "can see that they are traced; origins are not known; the command can mount any folder of the host",
    );
  }
  for (const { name, lack } of leftOut) {
    progress.say(`${name}.patch does not fit and is left out: ${lack}`);
  }
}

async function compile(
  { make: from, progress }: TreeBuild,
  isFirst: boolean,
  seconds: () => number,
): Promise<number> {
  let done = 0, linking = false;
  const preparation = seconds();
  const made = make(from, ["vmlinux"], {}, (line) => {
    if (isCompiledFile(line)) done++;
    if (isLinkStep(line)) linking = true;
  });
  const expected = isFirst ? EXPECTED_FILES : 0;
  await progress.during(
    () => formatProgress({ done, expected, seconds: seconds(), preparation, resumed: 0, linking }),
    made,
  );
  return done;
}

function compilerVersion(compiler: string): string {
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
