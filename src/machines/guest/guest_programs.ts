import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { accessSync, constants, existsSync, readFileSync, renameSync } from "node:fs";
import { basename, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { cacheFolder } from "../../build/kernel_folder.ts";
import { KcovUnavailableError } from "../../errors.ts";

const OPTIONS = ["-std=gnu11", "-Os", "-static", "-s", "-w"];

/** A program that is compiled for guests. */
interface Source {
  /** The first is compiled; the others are part of it. */
  readonly files: readonly string[];
  readonly options: readonly string[];
}

const INIT = ["init.c", "init/line.h", "init/command.h"];

const SOURCES = {
  /** Confines a guest's processes. */
  launcher: { files: ["launcher.c"], options: [] },
  /** Process 1 of user-mode Linux. */
  init: { files: [...INIT, "../uml/init_uml.h"], options: [] },
  /** Process 1 of a virtual machine. */
  vm_init: { files: [...INIT, "../vm/init_vm.h"], options: ["-DVIRTUAL_MACHINE"] },
} as const satisfies Readonly<Record<string, Source>>;

/**
 * Path of a program of the guest: `init` or `vm_init`, its process 1, or `launcher`, which starts its kernel and confines
 * it. Compiled first where this version of it is not in the folder, into the cache if the
 * folder is read-only: the programs can change without a build of the kernel.
 *
 * @param compiler for another architecture than this machine's, such as `aarch64-linux-gnu-gcc`
 * @throws {KcovUnavailableError} the compiler failed.
 */
export function guestProgram(
  folder: string,
  name: keyof typeof SOURCES,
  compiler = "gcc",
): string {
  const { files, options }: Source = SOURCES[name];
  const paths = files.map((file) => fileURLToPath(new URL(`./${file}`, import.meta.url)));
  const hash = createHash("sha256");
  for (const path of paths) hash.update(readFileSync(path));
  const all = [...OPTIONS, ...options];
  hash.update([compiler, ...all].join(" "));
  const given = join(folder, `${name}-${hash.digest("hex").slice(0, 12)}`);
  if (existsSync(given)) return given;
  const path = isWritable(folder) ? given : join(cacheFolder(), basename(given));
  if (existsSync(path)) return path;
  const partial = `${path}.${process.pid}`;
  const gcc = spawnSync(compiler, [...all, "-o", partial, paths[0]], { encoding: "utf8" });
  if (gcc.status !== 0) {
    throw new KcovUnavailableError(
      "not-built-in",
      `The guest's ${name} could not be compiled: check that ${compiler} and libc6-dev are installed\n${
        gcc.stderr ?? gcc.error
      }`,
    );
  }
  renameSync(partial, path);
  return path;
}

/** A kernel that came as a package may be in a folder of another user's. */
function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
