import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { KcovUnavailableError } from "../errors.ts";
import { withLock } from "./build_lock.ts";
import {
  estimateBuild,
  EXPECTED_FILES,
  formatDuration,
  formatProgress,
  formatStage,
  isCompiledFile,
  isLinkStep,
  ProgressLine,
} from "./build_progress.ts";
import { buildLock, cachedKernels } from "./cached_kernels.ts";
import {
  candidateVersion,
  ensurePackages,
  neededPackages,
  packageVersion,
} from "./debian_packages.ts";
import { builtDiskUse } from "./disk_use.ts";
import {
  cacheFolder,
  DEBUG_SOURCE_PREFIX,
  type KernelFolder,
  kernelFolder,
  kernelFolderName,
  kernelsFolder,
  RECIPE_FOLDER,
  recipeHash,
  SOURCE_PACKAGE,
} from "./kernel_folder.ts";
import { make, type MakeFolder } from "./kernel_make.ts";
import { checkKernelName, fragmentOf, nameKernel } from "./kernel_names.ts";
import {
  droppedOptions,
  type KernelOptions,
  mergeKernelOptions,
  parseKernelOptions,
} from "./kernel_options.ts";
import { unpackSource } from "./kernel_source.ts";
import { packagedKernel } from "./packaged_kernel.ts";

/** First line of the compiler's description of itself; `undefined` where there is none. */
function compilerVersion(): string | undefined {
  const run = spawnSync("gcc", ["--version"], { encoding: "utf8" });
  return run.status === 0 ? run.stdout.split("\n")[0] : undefined;
}

/** A kernel to be built: the embedded one, or one with options of the user's, under a name. */
export interface KernelDefinition {
  readonly name?: string;
  /** Lines of a configuration that are added to the embedded kernel's, or take the place of its own. */
  readonly fragment: string;
}

const EMBEDDED: KernelDefinition = { fragment: "" };

/** The embedded kernel with workers that record for a KCOV handle. */
export function remoteKernel(): KernelDefinition {
  return {
    name: "remote",
    fragment: readFileSync(join(RECIPE_FOLDER, "kernels/remote.config"), "utf8"),
  };
}

/** The kernel of a name; `undefined` where none was built under it. */
export function namedKernel(name: string): KernelDefinition | undefined {
  const fragment = fragmentOf(name);
  return fragment === undefined ? undefined : { name, fragment };
}

/** Folder that a kernel of the installed source and compiler has; `undefined` where one of them is missing. */
export function currentKernelFolder({ fragment } = EMBEDDED): KernelFolder | undefined {
  const source = packageVersion(SOURCE_PACKAGE);
  const compiler = compilerVersion();
  if (source === undefined || compiler === undefined) return undefined;
  const recipe = recipeHash(fragment);
  return kernelFolder(join(kernelsFolder(), kernelFolderName(recipe, source, compiler)));
}

/**
 * Names the kernel that would be built here, on a machine that need not have the packages for it yet: of those the version
 * that is to be installed counts.
 *
 * @throws {KcovUnavailableError} The source package or the compiler is neither installed nor known.
 */
export function kernelCacheKey({ fragment } = EMBEDDED): string {
  const source = packageVersion(SOURCE_PACKAGE) ?? candidateVersion(SOURCE_PACKAGE);
  const compiler = compilerVersion() ?? candidateVersion("gcc");
  if (source === undefined || compiler === undefined) {
    throw new KcovUnavailableError(
      "not-built-in",
      `The package ${
        source === undefined ? SOURCE_PACKAGE : "gcc"
      } is not known here: run apt-get update, or install it`,
    );
  }
  return `kernelcov-${kernelFolderName(recipeHash(fragment), source, compiler)}`;
}

/**
 * The embedded kernel, or that of a name, that is ready to run: one of the installed source and compiler, that of an npm
 * package or, on a machine without these, the newest of this kernelcov's configuration. `undefined` where none is built.
 */
export function findEmbeddedKernel(definition = EMBEDDED): KernelFolder | undefined {
  const current = currentKernelFolder(definition);
  if (current !== undefined && existsSync(current.manifest)) return current;
  const recipe = recipeHash(definition.fragment);
  const packaged = packagedKernel(recipe);
  if (packaged !== undefined || current !== undefined) return packaged;
  return cachedKernels().findLast(({ manifest }) => manifest?.recipe === recipe)?.folder;
}

/** Path of the embedded kernel's ELF file with debug information; `undefined` where it is not built. */
export function embeddedKernelPath(): string | undefined {
  return findEmbeddedKernel()?.vmlinux;
}

/**
 * The embedded kernel, or that of a name, built first if it is not there. Progress and the time it will take go to
 * `output`. An interrupted build is continued; two builds of one kernel wait for each other.
 *
 * @throws {KcovUnavailableError} not x86-64 Linux, packages missing (the message has the command that installs them), an
 *   option that Kconfig drops, or the build failed (the message has the compiler's errors and the log's path).
 * @throws {TypeError} the fragment or the name is invalid.
 */
export async function buildEmbeddedKernel(
  definition = EMBEDDED,
  output: ConstructorParameters<typeof ProgressLine>[0] = process.stderr,
): Promise<KernelFolder> {
  const { name, fragment } = definition;
  if (name !== undefined) checkKernelName(name);
  const options = wantedOptions(definition);
  const folder = findEmbeddedKernel(definition) ??
    await buildLocked(definition, options, new ProgressLine(output));
  if (name !== undefined && fragmentOf(name) !== fragment) nameKernel(name, fragment);
  return folder;
}

async function buildLocked(
  definition: KernelDefinition,
  options: WantedOptions,
  progress: ProgressLine,
): Promise<KernelFolder> {
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new KcovUnavailableError(
      "not-linux",
      `The embedded kernel is user-mode Linux, which needs x86-64 Linux, and this is ${process.platform} on ${process.arch}: use a machine of that kind`,
    );
  }
  await ensurePackages(neededPackages(), progress);
  const folder = currentKernelFolder(definition);
  if (folder === undefined) {
    throw new KcovUnavailableError(
      "not-built-in",
      `gcc or ${SOURCE_PACKAGE} cannot be used although they are installed: check that gcc is on the PATH`,
    );
  }
  mkdirSync(join(cacheFolder(), "kernels"), { recursive: true });
  mkdirSync(folder.path, { recursive: true });
  return await withLock(
    buildLock(folder.path),
    (pid) => progress.say(`Waiting for the build that process ${pid} runs`),
    async () => {
      // Another process may have built it meanwhile.
      if (!existsSync(folder.manifest)) await build(folder, definition, options, progress);
      return folder;
    },
  );
}

async function build(
  folder: KernelFolder,
  { name, fragment }: KernelDefinition,
  options: WantedOptions,
  progress: ProgressLine,
): Promise<void> {
  const started = performance.now();
  const resumed = existsSync(folder.source);
  const what = name === undefined ? "the embedded kernel" : `the kernel ${name}`;
  progress.say(
    resumed
      ? `Building ${what}, continuing the last build`
      : `Building ${what} once: ${estimateBuild()}`,
  );
  writeFileSync(folder.log, "");
  // As it is now: a checkout may change while this runs.
  const recipe = recipeHash(fragment);
  const seconds = (): number => (performance.now() - started) / 1000;
  function stage<T>(name: string, work: Promise<T>): Promise<T> {
    return progress.during(() => formatStage(name, seconds()), work);
  }
  if (!resumed) {
    const unpacked = unpackSource(folder.source, { allDrivers: fragment !== "" });
    await stage("Unpacking the kernel's source", unpacked);
  }
  await stage("Configuring the kernel", configure(folder, options));
  const before = resumed ? countObjects(folder.source) : 0;
  let done = before;
  let linking = false;
  const preparation = seconds();
  const made = make(makeFolder(folder), ["vmlinux"], {}, (line) => {
    if (isCompiledFile(line)) done++;
    if (isLinkStep(line)) linking = true;
  });
  await progress.during(
    () =>
      formatProgress({
        done,
        expected: EXPECTED_FILES,
        seconds: seconds(),
        preparation,
        resumed: before,
        linking,
      }),
    made,
  );
  run(folder, "strip", ["--strip-debug", "-o", folder.linux, join(folder.source, "vmlinux")]);
  // A copy and not a move: an interrupt must leave what the next build needs.
  copyFileSync(join(folder.source, "vmlinux"), `${folder.vmlinux}.partial`);
  renameSync(`${folder.vmlinux}.partial`, folder.vmlinux);
  const manifest = {
    recipe,
    sourceVersion: packageVersion(SOURCE_PACKAGE),
    compiler: compilerVersion(),
    files: done,
    seconds: Math.round(seconds()),
  };
  writeFileSync(`${folder.manifest}.partial`, `${JSON.stringify(manifest, null, 2)}\n`);
  renameSync(`${folder.manifest}.partial`, folder.manifest);
  removeBuildFiles(folder.source);
  // It is noted for `kernel list`, while what the file system knows of the files is in memory.
  builtDiskUse(folder.path, folder.log);
  progress.say(`Built ${what} in ${formatDuration(seconds())}`);
}

function makeFolder({ source, log }: KernelFolder): MakeFolder {
  return { source, log, debugName: DEBUG_SOURCE_PREFIX };
}

/** kernelcov's own options, and those that a user adds. */
interface WantedOptions {
  readonly base: KernelOptions;
  readonly added: KernelOptions;
}

function wantedOptions({ name, fragment }: KernelDefinition): WantedOptions {
  const file = join(RECIPE_FOLDER, "config");
  return {
    base: parseKernelOptions(readFileSync(file, "utf8"), file),
    added: parseKernelOptions(fragment, name ?? "fragment"),
  };
}

/**
 * Makes the configuration, and fails where Kconfig has dropped an option: tests would fail for no visible reason.
 */
async function configure(folder: KernelFolder, { base, added }: WantedOptions): Promise<void> {
  const wanted = mergeKernelOptions(base, added);
  const file = join(folder.path, "config");
  writeFileSync(file, wanted);
  await make(makeFolder(folder), ["allnoconfig"], { KCONFIG_ALLCONFIG: file });
  const made = parseKernelOptions(readFileSync(join(folder.source, ".config"), "utf8"), ".config");
  const refused = droppedOptions(added, made);
  const lost = droppedOptions(parseKernelOptions(wanted, file), made)
    .filter((line) => !refused.includes(line));
  if (refused.length === 0 && lost.length === 0) return;
  // Another fragment has another folder: this one would stay unused.
  if (added.size > 0) rmSync(folder.source, { recursive: true, force: true });
  const problems = [
    refused.length > 0 &&
    `${SOURCE_PACKAGE} does not accept ${
      refused.join(", ")
    }: add the options that these depend on, as user-mode Linux has them`,
    lost.length > 0 && added.size > 0 &&
    `With these options the kernel has no ${
      lost.join(", ")
    }: add "# CONFIG_… is not set" for each that it may lose`,
    lost.length > 0 && added.size === 0 &&
    `${SOURCE_PACKAGE} does not accept ${lost.join(", ")}: change src/build/recipe/config`,
  ].filter((problem) => problem !== false).join("\n");
  throw new KcovUnavailableError("not-built-in", problems);
}

function run(folder: KernelFolder, program: string, args: string[]): void {
  const result = spawnSync(program, args, { encoding: "utf8" });
  if (result.status === 0) return;
  appendFileSync(folder.log, result.stderr ?? "");
  throw new KcovUnavailableError(
    "not-built-in",
    `${program} failed: ${
      (result.stderr ?? String(result.error)).trim()
    }: check the free space of ${folder.path}`,
  );
}

/** What kbuild made, apart from generated sources that the debug information names. */
function isBuildFile(name: string): boolean {
  return /\.(o|a|cmd|d|mod|order|dwo)$|^vmlinux|^\.tmp_|^linux$/.test(name);
}

function countObjects(folder: string): number {
  // A folder's built-in.a has no object of its own; hidden and intermediate ones are not compiled files.
  return (readdirSync(folder, { recursive: true }) as string[])
    .filter((path) => path.endsWith(".o") && !path.includes("/.") && !path.includes(".tmp"))
    .length;
}

/** Deletes the objects: half a gigabyte. The sources stay, for reports that show them. */
function removeBuildFiles(folder: string): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() && isBuildFile(entry.name)) {
      rmSync(join(entry.parentPath, entry.name), { force: true });
    }
  }
}
