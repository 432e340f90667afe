import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** What there is of a folder, one line for each file in it and for itself: type, rights, owner, times and contents. */
export function fileStates(folder: string): string[] {
  const paths = readdirSync(folder, { recursive: true }) as string[];
  return ["", ...paths.sort()].map((path) => {
    const full = join(folder, path);
    const { mode, uid, gid, nlink, size, mtimeMs } = lstatSync(full);
    const kind = mode & 0o170000;
    const contents = kind === 0o100000
      ? createHash("sha256").update(readFileSync(full)).digest("hex")
      : kind === 0o120000
      ? readlinkSync(full)
      : "";
    return [
      path,
      mode.toString(8),
      uid,
      gid,
      nlink,
      kind === 0o100000 ? size : "",
      mtimeMs,
      contents,
    ]
      .join(" ");
  });
}
