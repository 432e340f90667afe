import { spawn, spawnSync } from "node:child_process";
import { appendFileSync, closeSync, openSync, readFileSync } from "node:fs";
import { availableParallelism, constants } from "node:os";
import process from "node:process";
import { KcovUnavailableError } from "../errors.ts";
import { errorLines } from "./build_progress.ts";
import { CLANG_OPTIONS, COMPILER_OPTIONS } from "./kernel_folder.ts";

/** What make builds from. */
export interface MakeFolder {
  readonly source: string;
  /** Gets the whole output. */
  readonly log: string;
  /** What debug information names as the source's folder. */
  readonly debugName: string;
  /** With clang and its tools in place of GCC. */
  readonly llvm?: boolean;
  /** The kernel's architecture: user-mode Linux by default. */
  readonly arch?: string;
  /** What the names of the compiler and its tools start with. */
  readonly cross?: string;
}

/** Arguments that make is always given. */
export function makeArguments(
  { source, debugName, llvm = false, arch = "um", cross = "" }: MakeFolder,
): string[] {
  const all = llvm ? CLANG_OPTIONS : COMPILER_OPTIONS;
  const options = [
    // Other kernels have a code model of their own.
    ...arch === "um" ? all : all.filter((option) => !option.startsWith("-mcmodel=")),
    `-ffile-prefix-map=${source}=${debugName}`,
  ];
  const [compiler, hostCompiler] = llvm ? ["clang", "clang"] : [`${cross}gcc`, "gcc"];
  return [
    ...[`ARCH=${arch}`, `-j${availableParallelism() + 1}`, `KCFLAGS=${options.join(" ")}`],
    ...llvm ? ["LLVM=1"] : cross === "" ? [] : [`CROSS_COMPILE=${cross}`],
    ...hasCcache() ? [`CC=ccache ${compiler}`, `HOSTCC=ccache ${hostCompiler}`] : [],
  ];
}

/** The environment of a build. The same input has to give the same kernel, and so the same build id, everywhere. */
export function makeEnvironment(): NodeJS.ProcessEnv {
  return {
    ...inheritedEnvironment(),
    LC_ALL: "C",
    KBUILD_BUILD_TIMESTAMP: "1970-01-01",
    KBUILD_BUILD_USER: "kernelcov",
    KBUILD_BUILD_HOST: "kernelcov",
  };
}

/** Runs make in the source's folder; the whole output goes to the log, and each line to `onLine`. */
export function make(
  folder: MakeFolder,
  targets: readonly string[],
  env: Record<string, string>,
  onLine: (line: string) => void = () => {},
): Promise<void> {
  const child = spawn("make", [...makeArguments(folder), ...targets], {
    cwd: folder.source,
    env: { ...makeEnvironment(), ...env },
    stdio: ["ignore", "pipe", "pipe"],
    // A process group of its own, so that all of the build ends with one signal.
    detached: true,
  });
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
        `The kernel could not be built:\n${errors}\nThe full output is in ${folder.log}`,
      ),
    );
  });
  return promise;
}

/** With ccache a second kernel, or one of another version, compiles only what differs. */
function hasCcache(): boolean {
  return spawnSync("ccache", ["--version"], { stdio: "ignore" }).status === 0;
}

/** make must not take its options, or the kernel's architecture, from a make or a shell around kernelcov. */
function inheritedEnvironment(): NodeJS.ProcessEnv {
  const { MAKEFLAGS: _1, MFLAGS: _2, MAKELEVEL: _3, ARCH: _4, CROSS_COMPILE: _5, ...env } =
    process.env;
  return env;
}

/** Ends the build's processes when this one is told to end. What they finished stays for the next build. */
function endWithSignals(group: number | undefined): () => void {
  const handler = (name: NodeJS.Signals): void => {
    try {
      if (group !== undefined) process.kill(-group, "SIGTERM");
    } catch {
      // It has ended by itself.
    }
    process.stderr.write("\nInterrupted: the next build continues from here\n");
    process.exit(128 + constants.signals[name]);
  };
  const names = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const name of names) process.on(name, handler);
  return () => names.forEach((name) => process.off(name, handler));
}
