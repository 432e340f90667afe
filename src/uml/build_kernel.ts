import { spawn, spawnSync } from "node:child_process";
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { KcovUnavailableError } from "../errors.ts";
import { withLock } from "./build_lock.ts";
import {
  errorLines,
  estimateBuild,
  EXPECTED_FILES,
  formatDuration,
  formatProgress,
  isCompiledFile,
  ProgressLine,
} from "./build_progress.ts";
import { buildLock, cachedKernels } from "./cached_kernels.ts";
import { ensurePackages, neededPackages, packageVersion } from "./debian_packages.ts";
import {
  cacheFolder,
  COMPILER_OPTIONS,
  DEBUG_SOURCE_PREFIX,
  type KernelFolder,
  kernelFolder,
  kernelFolderName,
  kernelsFolder,
  RECIPE_FOLDER,
  recipeHash,
  SOURCE_PACKAGE,
} from "./kernel_folder.ts";
import { unpackSource } from "./kernel_source.ts";

/** First line of the compiler's description of itself; `undefined` where there is none. */
function compilerVersion(): string | undefined {
  const run = spawnSync("gcc", ["--version"], { encoding: "utf8" });
  return run.status === 0 ? run.stdout.split("\n")[0] : undefined;
}

/** Folder that a kernel of the installed source and compiler has; `undefined` where one of them is missing. */
export function currentKernelFolder(): KernelFolder | undefined {
  const source = packageVersion(SOURCE_PACKAGE);
  const compiler = compilerVersion();
  if (source === undefined || compiler === undefined) return undefined;
  return kernelFolder(join(kernelsFolder(), kernelFolderName(recipeHash(), source, compiler)));
}

/**
 * The embedded kernel that is ready to run: one of the installed source and compiler or, on a machine without these,
 * the newest of this kernelcov's configuration. `undefined` where none is built.
 */
export function findEmbeddedKernel(): KernelFolder | undefined {
  const current = currentKernelFolder();
  if (current !== undefined) return existsSync(current.manifest) ? current : undefined;
  const recipe = recipeHash();
  return cachedKernels().findLast(({ manifest }) => manifest?.recipe === recipe)?.folder;
}

/** Path of the embedded kernel's ELF file with debug information; `undefined` where it is not built. */
export function embeddedKernelPath(): string | undefined {
  return findEmbeddedKernel()?.vmlinux;
}

/**
 * The embedded kernel, built first if it is not there. Progress and the time it will take go to `output`. A build that
 * was interrupted goes on where it ended; two builds of one kernel wait for each other.
 *
 * @throws {KcovUnavailableError} not x86-64 Linux, packages missing (the message has the command that installs them),
 *   or the build failed (the message has the compiler's errors and the log's path).
 */
export async function buildEmbeddedKernel(
  output: ConstructorParameters<typeof ProgressLine>[0] = process.stderr,
): Promise<KernelFolder> {
  const ready = findEmbeddedKernel();
  if (ready !== undefined) return ready;
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new KcovUnavailableError(
      "not-linux",
      `The embedded kernel is user-mode Linux, which needs x86-64 Linux, and this is ${process.platform} on ${process.arch}: use a machine of that kind`,
    );
  }
  const progress = new ProgressLine(output);
  ensurePackages(neededPackages(), (line) => progress.say(line));
  const folder = currentKernelFolder();
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
      if (!existsSync(folder.manifest)) await build(folder, progress);
      return folder;
    },
  );
}

async function build(folder: KernelFolder, progress: ProgressLine): Promise<void> {
  const started = performance.now();
  const resumed = existsSync(folder.source);
  progress.say(
    resumed
      ? "Building the embedded kernel, from where the last build ended"
      : `Building the embedded kernel once: ${estimateBuild()}`,
  );
  writeFileSync(folder.log, "");
  if (!resumed) {
    progress.update("Unpacking the kernel's source", started);
    await unpackSource(folder.source);
  }
  await make(folder, ["allnoconfig"], {
    KCONFIG_ALLCONFIG: join(RECIPE_FOLDER, "config"),
  });
  checkConfiguration(folder);
  const before = resumed ? countObjects(folder.source) : 0;
  let done = before;
  const preparation = (performance.now() - started) / 1000;
  function show(): void {
    const seconds = (performance.now() - started) / 1000;
    progress.update(
      formatProgress({ done, expected: EXPECTED_FILES, seconds, preparation, resumed: before }),
      performance.now(),
    );
  }
  const timer = setInterval(show, 1000);
  try {
    await make(folder, ["vmlinux"], {}, (line) => {
      if (isCompiledFile(line)) done++;
    });
  } finally {
    clearInterval(timer);
    progress.clear();
  }
  run(folder, "strip", ["--strip-debug", "-o", folder.linux, join(folder.source, "vmlinux")]);
  // A copy and not a move: an interrupt must leave what the next build needs.
  copyFileSync(join(folder.source, "vmlinux"), `${folder.vmlinux}.partial`);
  renameSync(`${folder.vmlinux}.partial`, folder.vmlinux);
  const seconds = (performance.now() - started) / 1000;
  const manifest = {
    recipe: recipeHash(),
    sourceVersion: packageVersion(SOURCE_PACKAGE),
    compiler: compilerVersion(),
    files: done,
    seconds: Math.round(seconds),
  };
  writeFileSync(`${folder.manifest}.partial`, `${JSON.stringify(manifest, null, 2)}\n`);
  renameSync(`${folder.manifest}.partial`, folder.manifest);
  removeBuildFiles(folder.source);
  progress.say(`Built the embedded kernel in ${formatDuration(seconds)}`);
}

/** Runs make in the source's folder; the whole output goes to the log, and each line to `onLine`. */
function make(
  folder: KernelFolder,
  targets: readonly string[],
  env: Record<string, string>,
  onLine: (line: string) => void = () => {},
): Promise<void> {
  const options = [
    ...COMPILER_OPTIONS,
    `-ffile-prefix-map=${folder.source}=${DEBUG_SOURCE_PREFIX}`,
  ];
  const child = spawn(
    "make",
    ["ARCH=um", `-j${availableParallelism()}`, `KCFLAGS=${options.join(" ")}`, ...targets],
    {
      cwd: folder.source,
      // The same input has to give the same kernel, and so the same build id, everywhere.
      env: {
        ...inheritedEnvironment(),
        LC_ALL: "C",
        KBUILD_BUILD_TIMESTAMP: "1970-01-01",
        KBUILD_BUILD_USER: "kernelcov",
        KBUILD_BUILD_HOST: "kernelcov",
        ...env,
      },
      stdio: ["ignore", "pipe", "pipe"],
      // A process group of its own, so that all of the build ends with one signal.
      detached: true,
    },
  );
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const log = openSync(folder.log, "a");
  let rest = "";
  function take(bytes: Uint8Array): void {
    appendFileSync(log, bytes);
    const lines = (rest + new TextDecoder().decode(bytes)).split("\n");
    rest = lines.pop()!;
    lines.forEach(onLine);
  }
  child.stdout.on("data", take);
  child.stderr.on("data", (bytes: Uint8Array) => appendFileSync(log, bytes));
  const forget = endWithSignals(child.pid);
  child.on("error", reject);
  child.on("close", (code) => {
    forget();
    closeSync(log);
    if (code === 0) return resolve();
    const errors = errorLines(readFileSync(folder.log, "utf8")).join("\n");
    reject(
      new KcovUnavailableError(
        "not-built-in",
        `The embedded kernel could not be built:\n${errors}\nThe whole output is in ${folder.log}`,
      ),
    );
  });
  return promise;
}

/** make must not take its options, or the kernel's architecture, from a make or a shell around kernelcov. */
function inheritedEnvironment(): NodeJS.ProcessEnv {
  const { MAKEFLAGS: _1, MFLAGS: _2, MAKELEVEL: _3, ARCH: _4, CROSS_COMPILE: _5, ...env } =
    process.env;
  return env;
}

/** Ends the build's processes when this one is told to end. What they finished stays for the next build. */
function endWithSignals(group: number | undefined): () => void {
  const handlers = (["SIGINT", "SIGTERM", "SIGHUP"] as const).map((name, i) => {
    const handler = (): void => {
      if (group !== undefined) {
        try {
          process.kill(-group, "SIGTERM");
        } catch {
          // It has ended by itself.
        }
      }
      process.stderr.write(
        "\nInterrupted: the next build goes on from here\n",
      );
      process.exit(128 + [2, 15, 1][i]!);
    };
    process.on(name, handler);
    return () => void process.off(name, handler);
  });
  return () => handlers.forEach((forget) => forget());
}

/** An option that Kconfig has dropped would be missing in silence, and a test would fail for no visible reason. */
function checkConfiguration(folder: KernelFolder): void {
  const lines = new Set(readFileSync(join(folder.source, ".config"), "utf8").split("\n"));
  const dropped = readFileSync(join(RECIPE_FOLDER, "config"), "utf8").split("\n")
    .filter((line) => line.startsWith("CONFIG_") && !lines.has(line));
  if (dropped.length > 0) {
    throw new KcovUnavailableError(
      "not-built-in",
      `${SOURCE_PACKAGE} does not accept ${dropped.join(", ")}: change scripts/kernel/config`,
    );
  }
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
