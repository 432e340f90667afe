import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { KcovUnavailableError } from "../../errors.ts";
import type { KernelFolder } from "../../build/kernel_folder.ts";

const OPTIONS = ["-std=gnu11", "-Os", "-static", "-s", "-w"];

/**
 * Path of the guest's process 1, compiled first where this version of it is not there.
 *
 * @throws {KcovUnavailableError} the compiler failed.
 */
export function ensureGuestInit(folder: KernelFolder): string {
  return ensureProgram(folder, "init");
}

/**
 * Path of the program that starts the guest's kernel and confines it, compiled first where this version of it is not
 * there.
 *
 * @throws {KcovUnavailableError} the compiler failed.
 */
export function ensureLauncher(folder: KernelFolder): string {
  return ensureProgram(folder, "launcher");
}

/** Not part of the kernel's folder name: the programs can change without a build of the kernel. */
function ensureProgram(folder: KernelFolder, name: "init" | "launcher"): string {
  const source = fileURLToPath(new URL(`./${name}.c`, import.meta.url));
  const hash = createHash("sha256").update(readFileSync(source)).update(OPTIONS.join(" "));
  const path = join(folder.path, `${name}-${hash.digest("hex").slice(0, 12)}`);
  if (existsSync(path)) return path;
  const partial = `${path}.${process.pid}`;
  const gcc = spawnSync("gcc", [...OPTIONS, "-o", partial, source], { encoding: "utf8" });
  if (gcc.status !== 0) {
    throw new KcovUnavailableError(
      "not-built-in",
      `The guest's ${name} could not be compiled: check that gcc and libc6-dev are installed\n${
        gcc.stderr ?? gcc.error
      }`,
    );
  }
  renameSync(partial, path);
  return path;
}
