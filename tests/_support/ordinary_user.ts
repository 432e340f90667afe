import { chmodSync, chownSync, copyFileSync, mkdirSync } from "node:fs";
import { basename, join } from "node:path";
import process from "node:process";
import { buildEmbeddedKernel } from "../../src/build/build_kernel.ts";
import { guestProgram } from "../../src/machines/guest/guest_programs.ts";

/** How a command is run as a user without rights: this one, or `nobody` where the tests run as root. */
export interface OrdinaryUser {
  readonly uid: number;
  /** Goes before the command. */
  readonly prefix: string[];
  /** With the embedded kernel's cache where the user can read it. */
  readonly env: Record<string, string>;
  /** Guest's process 1 and launcher, in that cache. */
  readonly programs: readonly string[];
}

/** Makes `folder` one that an ordinary user can use the embedded kernel from. */
export async function ordinaryUser(folder: string): Promise<OrdinaryUser> {
  const kernel = await buildEmbeddedKernel();
  const cache = join(folder, "kernelcov/kernels", basename(kernel.path));
  mkdirSync(cache, { recursive: true });
  const { linux, vmlinux, manifest } = kernel;
  const programs = [guestProgram(kernel.path, "init"), guestProgram(kernel.path, "launcher")];
  for (const file of [linux, vmlinux, manifest, ...programs]) {
    copyFileSync(file, join(cache, basename(file)));
  }
  chmodSync(folder, 0o755);
  const own = { programs: programs.map((file) => join(cache, basename(file))) };
  const env = { XDG_CACHE_HOME: folder, HOME: folder, DENO_DIR: join(folder, "deno") };
  if (process.getuid?.() !== 0) return { uid: process.getuid!(), prefix: [], env, ...own };
  const uid = 65534;
  const prefix = ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups", "--"];
  return { uid, prefix, env, ...own };
}

/** Gives a folder or file to a user, where this one may. */
export function giveTo(user: OrdinaryUser, path: string): void {
  if (process.getuid?.() === 0) chownSync(path, user.uid, user.uid);
}
