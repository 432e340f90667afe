import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { KcovUnavailableError } from "../../errors.ts";

const OPTIONS = ["-std=gnu11", "-Os", "-static", "-s", "-w"];

/**
 * Path of a program of the guest: `init`, its process 1, or `launcher`, which starts its kernel and confines it. Compiled
 * first where this version of it is not in the folder: the programs can change without a build of the kernel.
 *
 * @throws {KcovUnavailableError} the compiler failed.
 */
export function guestProgram(folder: string, name: "init" | "launcher"): string {
  const source = fileURLToPath(new URL(`./${name}.c`, import.meta.url));
  const hash = createHash("sha256").update(readFileSync(source)).update(OPTIONS.join(" "));
  const path = join(folder, `${name}-${hash.digest("hex").slice(0, 12)}`);
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
