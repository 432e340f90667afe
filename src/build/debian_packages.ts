import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { KcovUnavailableError } from "../errors.ts";
import { formatStage, type ProgressLine } from "./build_progress.ts";
import { RECIPE_FOLDER } from "./kernel_folder.ts";
import { runToEnd } from "./run_to_end.ts";

/** The packages that building the embedded kernel needs: the lines of `src/build/recipe/packages`. */
export function neededPackages(): string[] {
  return readFileSync(join(RECIPE_FOLDER, "packages"), "utf8").split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
}

/** Version of an installed Debian package; `undefined` where it is not installed, or this is not Debian. */
export function packageVersion(name: string): string | undefined {
  const query = spawnSync("dpkg-query", ["-W", "-f", "${Status}\t${Version}", name], {
    encoding: "utf8",
  });
  if (query.error !== undefined || query.status !== 0) return undefined;
  const [status, version] = query.stdout.split("\t");
  return status?.endsWith(" ok installed") ? version : undefined;
}

/** Version that apt-get would install of a package; `undefined` where it knows none. */
export function candidateVersion(name: string): string | undefined {
  const query = spawnSync("apt-cache", ["policy", name], {
    encoding: "utf8",
    env: { ...process.env, LC_ALL: "C" },
  });
  if (query.error !== undefined || query.status !== 0) return undefined;
  const version = /^\s*Candidate: (\S+)$/m.exec(query.stdout)?.[1];
  return version === "(none)" ? undefined : version;
}

/** Those of `names` that are not installed, in their order. */
export function missingPackages(names: readonly string[]): string[] {
  return names.filter((name) => packageVersion(name) === undefined);
}

/** The command that installs packages, for an ordinary user to copy. */
export function installCommand(names: readonly string[]): string {
  const lists = hasPackageLists() ? "" : "sudo apt-get update && ";
  return `${lists}sudo apt-get install -y --no-install-recommends ${names.join(" ")}`;
}

function hasPackageLists(): boolean {
  try {
    return readdirSync("/var/lib/apt/lists").some((name) => name.includes("_Packages"));
  } catch {
    return false;
  }
}

/**
 * Installs what is missing of `names`, as root; `progress` shows what is done.
 *
 * @throws {KcovUnavailableError} not root, not Debian, or apt-get failed: the message names the command to run.
 */
export async function ensurePackages(
  names: readonly string[],
  progress: ProgressLine,
): Promise<void> {
  const missing = missingPackages(names);
  if (missing.length === 0) return;
  if (spawnSync("apt-get", ["--version"], { stdio: "ignore" }).error !== undefined) {
    throw new KcovUnavailableError(
      "not-built-in",
      `The embedded kernel is built with Debian's packages, and apt-get was not found: use Debian 12 or newer, or a kernel with CONFIG_KCOV=y`,
    );
  }
  if (process.getuid?.() !== 0) {
    throw new KcovUnavailableError(
      "not-built-in",
      `The embedded kernel needs Debian packages: ${installCommand(missing)}`,
    );
  }
  progress.say(`Installing ${missing.join(", ")}`);
  const started = performance.now();
  const failure = await progress.during(
    () => formatStage("Installing Debian packages", (performance.now() - started) / 1000),
    install(missing),
  );
  if (failure !== undefined) {
    throw new KcovUnavailableError(
      "not-built-in",
      `apt-get could not install ${missing.join(", ")}: ${failure}`,
    );
  }
}

/** Installs packages; the reason where that failed. */
async function install(names: readonly string[]): Promise<string | undefined> {
  const args = ["install", "-y", "--no-install-recommends", ...names];
  // Lists may be missing, as in fresh containers, or so old that the files they name are gone.
  if (hasPackageLists() && await runAptGet(args) === undefined) return undefined;
  return await runAptGet(["update"]) ?? await runAptGet(args);
}

/** Runs apt-get; the reason where it failed. */
async function runAptGet(args: string[]): Promise<string | undefined> {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const { status, output } = await runToEnd("apt-get", args, { env })
    .catch((error) => ({ status: null, output: `E: ${error.message}` }));
  if (status === 0) return undefined;
  const errors = output.split("\n").filter((line) => line.startsWith("E: "));
  return errors.map((line) => line.slice(3)).join("; ") || `apt-get ${args[0]} failed`;
}
