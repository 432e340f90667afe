import { accessSync, constants, statSync } from "node:fs";
import { plainFolder } from "../../sys/plain_folder.ts";

/**
 * Real paths of the folders. One inside another is left out: mounted twice, each would see the other's changes late.
 *
 * @throws {TypeError} A guest cannot write to one.
 */
export function writableFolders(paths: readonly string[]): string[] {
  const folders = [...new Set(paths.map(writableFolder))];
  return folders.filter((folder) => !folders.some((outer) => folder.startsWith(`${outer}/`)))
    .sort();
}

function writableFolder(path: string): string {
  let real: string;
  try {
    real = plainFolder(path);
    accessSync(real, constants.W_OK);
  } catch (cause) {
    if (cause instanceof TypeError) throw cause;
    throw new TypeError(
      `The guest cannot write to ${path}: make that folder first, and check that you may write to it`,
      { cause },
    );
  }
  if (!statSync(real).isDirectory()) {
    throw new TypeError(`The guest cannot write to ${path}: name the folder that it is in`);
  }
  if (real === "/") {
    throw new TypeError("The guest may not write to all of /: name the folders that it needs");
  }
  return real;
}
