import {
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
import { cacheFolderPath } from "../sys/cache_folder.ts";
import { cacheFolder } from "./kernel_folder.ts";

/** Words of `--kernel` with a meaning of their own. */
const TAKEN = ["auto", "host", "embedded"];

/**
 * Whether a kernel can have this name. What has a slash is a path.
 *
 * @throws {TypeError} it cannot; the message says what names are allowed.
 */
export function checkKernelName(name: string): void {
  if (TAKEN.includes(name)) {
    throw new TypeError(
      `A kernel cannot be named "${name}", which --kernel knows already: use --name`,
    );
  }
  if (!/^[A-Za-z0-9][\w.+-]{0,99}$/.test(name)) {
    throw new TypeError(
      `"${name}" is not a name for a kernel: use --name with letters, digits, dots and dashes`,
    );
  }
}

/** The names that kernels were built under, in order. */
export function kernelNames(): string[] {
  const folder = namesFolder();
  return existsSync(folder)
    ? readdirSync(folder).filter((name) => !name.startsWith(".")).sort()
    : [];
}

/** The options of the kernel of a name, as text; `undefined` where no kernel was built under it. */
export function fragmentOf(name: string): string | undefined {
  return kernelNames().includes(name) ? readFileSync(join(namesFolder(), name), "utf8") : undefined;
}

/** Names a built kernel's options; another kernel of that name loses it. */
export function nameKernel(name: string, fragment: string): void {
  checkKernelName(name);
  mkdirSync(join(cacheFolder(), "names"), { recursive: true });
  const partial = join(namesFolder(), `.${name}.${process.pid}`);
  writeFileSync(partial, fragment);
  renameSync(partial, join(namesFolder(), name));
}

/** Forgets a name. The kernel stays, until it is removed. */
export function forgetKernelName(name: string): void {
  rmSync(join(namesFolder(), name), { force: true });
}

function namesFolder(): string {
  return join(cacheFolderPath(), "names");
}
