import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { KcovUnavailableError } from "../../../src/errors.ts";
import {
  cacheFolder,
  CODE_OPTIONS,
  type KernelFolder,
  kernelFolder,
  kernelFolderName,
  readManifest,
  RECIPE_FOLDER,
} from "../../../src/build/kernel_folder.ts";
import { withLock } from "../../../src/build/build_lock.ts";
import { unpackSource } from "../../../src/build/kernel_source.ts";

/** With debug information gcc marks where statements begin, and gcov counts the lines of these marks too. */
const OPTIONS = [...CODE_OPTIONS, "-g1", "-gstatement-frontiers", "-fno-var-tracking"];

/** Message of the constructors, which run before the kernel has anything to print with on user-mode Linux. */
const VERSION_MESSAGE = /^\t*pr_info\("version magic: .*\n/m;

/**
 * The gcov twin of the embedded kernel in `embedded`: the same source and configuration, counted by gcov instead of
 * KCOV. Built first where it is not there (some 8 CPU minutes); a build that was interrupted goes on where it ended.
 * The objects' `.gcno` files are in its `source`, and the guest's gcov files have that path.
 *
 * @throws {KcovUnavailableError} the build failed; the message names its log.
 */
export async function buildTwinKernel(
  embedded: KernelFolder,
  say: (line: string) => void,
): Promise<KernelFolder> {
  const configuration = twinConfiguration(readFileSync(join(RECIPE_FOLDER, "config"), "utf8"));
  const twin = kernelFolder(join(cacheFolder(), "gcov_twin", twinName(embedded, configuration)));
  if (existsSync(twin.manifest)) return twin;
  mkdirSync(twin.path, { recursive: true });
  await withLock(
    join(twin.path, "lock"),
    (pid) => say(`Waiting for the build that process ${pid} runs`),
    async () => {
      if (existsSync(twin.manifest)) return;
      say(`Building the gcov twin in ${twin.path}: some 8 CPU minutes`);
      await build(twin, configuration);
    },
  );
  return twin;
}

async function build(twin: KernelFolder, configuration: string): Promise<void> {
  if (!existsSync(twin.source)) await unpackSource(twin.source);
  silenceConstructors(join(twin.source, "kernel/gcov/gcc_base.c"));
  const config = join(twin.path, "config");
  writeFileSync(config, configuration);
  writeFileSync(twin.log, "");
  make(twin, "allnoconfig", { KCONFIG_ALLCONFIG: config });
  const configured = readFileSync(join(twin.source, ".config"), "utf8");
  if (!/^CONFIG_GCOV_PROFILE_ALL=y$/m.test(configured) || /^CONFIG_KCOV=y$/m.test(configured)) {
    throw new KcovUnavailableError(
      "not-built-in",
      `Kconfig refused gcov: compare ${config} with ${twin.source}/.config`,
    );
  }
  make(twin, "linux", {});
  copyFileSync(join(twin.source, "linux"), twin.linux);
  writeFileSync(twin.manifest, "{}\n");
}

function twinConfiguration(config: string): string {
  const kept = config.split("\n").filter((line) => !/^CONFIG_KCOV/.test(line));
  return [...kept, "CONFIG_GCOV_KERNEL=y", "CONFIG_GCOV_PROFILE_ALL=y", ""].join("\n");
}

/** From all that the twin's code depends on; the coverage patch is none of it. */
function twinName(embedded: KernelFolder, configuration: string): string {
  const manifest = readManifest(embedded);
  const { sourceVersion = "", compiler = "" } = manifest ?? {};
  return kernelFolderName(
    [configuration, ...OPTIONS].join("\n"),
    sourceVersion,
    compiler,
  );
}

function silenceConstructors(file: string): void {
  const text = readFileSync(file, "utf8");
  if (VERSION_MESSAGE.test(text)) writeFileSync(file, text.replace(VERSION_MESSAGE, ""));
}

function make(twin: KernelFolder, target: string, env: Record<string, string>): void {
  const output = openSync(twin.log, "a");
  const { ARCH: _1, CROSS_COMPILE: _2, MAKEFLAGS: _3, ...inherited } = process.env;
  const run = spawnSync(
    "make",
    ["ARCH=um", `-j${availableParallelism()}`, `KCFLAGS=${OPTIONS.join(" ")}`, target],
    {
      cwd: twin.source,
      env: { ...inherited, LC_ALL: "C", ...env },
      stdio: ["ignore", output, output],
    },
  );
  if (run.status === 0) return;
  const last = readFileSync(twin.log, "utf8").trim().split("\n").slice(-8).join("\n");
  throw new KcovUnavailableError("not-built-in", `make ${target} failed: see ${twin.log}\n${last}`);
}
