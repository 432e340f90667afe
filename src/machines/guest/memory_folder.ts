import { readFileSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";

/** A guest's memory where none is given. */
export const DEFAULT_MEMORY = "2G";

/** A folder that could hold the file behind the guest's memory. */
export interface MemoryFolder {
  readonly path: string;
  /** File system type, such as `tmpfs`. */
  readonly type: string;
  readonly noexec: boolean;
  readonly freeBytes: number;
}

/** What `/proc/self/mountinfo` says of the file system that `path`, an absolute path, is on (proc_pid_mountinfo(5)). */
export function mountOf(
  path: string,
  mountinfo: string,
): { type: string; noexec: boolean } | undefined {
  let best = "";
  let found: { type: string; noexec: boolean } | undefined;
  for (const line of mountinfo.split("\n")) {
    const [left, right] = line.split(" - ");
    if (right === undefined) continue;
    const fields = left!.split(" ");
    const point = fields[4].replace(
      /\\([0-7]{3})/g,
      (_, octal: string) => String.fromCharCode(parseInt(octal, 8)),
    );
    const below = point === "/" || path === point || path.startsWith(`${point}/`);
    // Of two mounts on one point the later one is seen.
    if (!below || point.length < best.length) continue;
    best = point;
    found = { type: right.split(" ")[0], noexec: fields[5].split(",").includes("noexec") };
  }
  return found;
}

/**
 * The folder for the guest's memory: it has to allow execution, since user-mode Linux maps its processes' code from there, and to have
 * room, since a write past the end of it kills the guest. Files in memory come first: others are written back to disk.
 *
 * @throws {RangeError} none has room for `bytes`.
 */
export function chooseMemoryFolder(folders: readonly MemoryFolder[], bytes: number): string {
  const usable = folders.filter((folder) => !folder.noexec && folder.freeBytes >= bytes);
  const best = usable.find((folder) => folder.type === "tmpfs") ?? usable[0];
  if (best !== undefined) return best.path;
  const seen = folders.map((folder) =>
    `${folder.path} ${
      folder.noexec ? "is mounted noexec" : `has ${Math.floor(folder.freeBytes / 2 ** 20)} MiB free`
    }`
  );
  throw new RangeError(
    `The guest's memory of ${Math.ceil(bytes / 2 ** 20)} MiB does not fit anywhere (${
      seen.join(", ")
    }): use a smaller --memory, or set TMPDIR to a folder with room that allows execution`,
  );
}

/** The folders that this host offers, in order of preference. */
export function memoryFolders(): MemoryFolder[] {
  const mountinfo = readFileSync("/proc/self/mountinfo", "utf8");
  const paths = ["/dev/shm", process.env["XDG_RUNTIME_DIR"], tmpdir(), "/tmp", "/var/tmp"];
  const folders: MemoryFolder[] = [];
  for (const path of new Set(paths)) {
    if (path === undefined || !path.startsWith("/")) continue;
    try {
      const { bavail, bsize } = statfsSync(path);
      const mount = mountOf(path, mountinfo) ?? { type: "unknown", noexec: false };
      folders.push({ path, ...mount, freeBytes: bavail * bsize });
    } catch {
      // It is not there.
    }
  }
  return folders;
}

/**
 * `2G`, `512M`, `1048576K` or a number of bytes.
 *
 * @throws {RangeError} not of this form, or less than a guest can start in.
 */
export function parseMemorySize(text: string): number {
  const match = /^(\d+)([KMG]?)i?B?$/i.exec(text);
  const scale = { "": 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }[(match?.[2] ?? "").toUpperCase()];
  const bytes = Number(match?.[1]) * (scale ?? NaN);
  if (!(bytes >= 128 * 2 ** 20) || bytes > 64 * 2 ** 30) {
    throw new RangeError(`The memory ${text} is not between 128M and 64G: use a size such as 2G`);
  }
  return bytes;
}
