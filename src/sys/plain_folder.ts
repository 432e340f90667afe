import { lstatSync, mkdirSync, realpathSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import process from "node:process";
import { errorCode } from "./file_error.ts";

/**
 * Real path of a folder whose place nobody else can have changed: below the current folder no part of the path, and
 * elsewhere not its last part, may be a symbolic link. What ran in a guest may have left one there, to have the host, or
 * the next guest, write where it leads.
 *
 * @param make Whether to make the folder, and those around it, where there is none.
 *
 * @throws {TypeError} A part is a symbolic link.
 * @throws {Error} The file system's own error, such as `ENOENT`.
 */
export function plainFolder(path: string, { make = false } = {}): string {
  const full = resolve(path);
  const here = process.cwd();
  const below = full === here || full.startsWith(here === "/" ? "/" : `${here}/`);
  const base = below ? here : dirname(full);
  if (make && !below) mkdirSync(base, { recursive: true });
  let folder = realpathSync(base);
  for (const part of (below ? relative(here, full) : basename(full)).split("/").filter(Boolean)) {
    folder = join(folder, part);
    if (make) makeOne(folder);
    if (lstatSync(folder).isSymbolicLink()) {
      throw new TypeError(
        `${folder} is a symbolic link, which a test may have left: remove it, or name the folder that it leads to`,
      );
    }
  }
  return folder;
}

function makeOne(folder: string): void {
  try {
    mkdirSync(folder);
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  }
}
