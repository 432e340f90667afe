import { errorCode, fileError } from "../../sys/file_error.ts";
import { plainFolder } from "../../sys/plain_folder.ts";

/**
 * The folder of a command's reports and records, which is made where there is none.
 *
 * @returns its real path
 * @throws {TypeError} Where it cannot be made, or a part of its path is a symbolic link that a test may have left.
 */
export function outputFolder(path: string): string {
  try {
    return plainFolder(path, { make: true });
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    throw fileError("write to", path, error, "name a folder that you may write to with --out");
  }
}
