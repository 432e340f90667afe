import { cString } from "../sys/native_strings.ts";
import { tryReadText } from "../sys/files.ts";
import { O_CLOEXEC, O_WRONLY, systemCallNumber } from "../sys/system_calls.ts";
import type { LibcPart } from "../sys/types.ts";
import type { WriteThrough } from "./run_writer.ts";

/** `f_type` of folders that user-mode Linux has from its host. */
const HOSTFS_SUPER_MAGIC = 0x00c0_ffeen;
const STATFS_BYTES = 120;
/** Without a wait: to hostfs it writes at once. */
const SYNC_FILE_RANGE_WRITE = 2n;
const SYNC_FILE_RANGE_WRITE_AND_WAIT = 7n;

/** What the calls need. */
export type WriteThroughLibc = LibcPart<"open" | "close">;

/**
 * What brings a file out of this kernel's memory; `undefined` where this kernel is not a guest that writes it to its host.
 *
 * Such a guest keeps what was written in its own memory for up to half a minute, and a crash loses it. fsync(2) would make
 * the host wait for its disk; this hands the pages to the host, which is enough.
 */
export function hostfsWriteThrough(
  libc: WriteThroughLibc,
  path: string,
): WriteThrough | undefined {
  if (!isHostfs(libc, path)) return undefined;
  const fd = libc.open(cString(path), O_WRONLY | O_CLOEXEC, 0);
  // Records that the kernel itself writes back later are better than none.
  if (fd < 0) return undefined;
  const flags = isOver9p(path) ? SYNC_FILE_RANGE_WRITE_AND_WAIT : SYNC_FILE_RANGE_WRITE;
  return {
    write() {
      const range = [BigInt(fd), 0n, 0n, flags] as const;
      libc.syscall(systemCallNumber("sync_file_range"), ...range, 0n, 0n);
    },
    close: () => void libc.close(fd),
  };
}

/** Whether a path is on the host of the guest that this process then runs in. */
export function isHostfs(
  libc: Pick<WriteThroughLibc, "syscall" | "addressOf">,
  path: string,
): boolean {
  const name = cString(path);
  const statfs = new BigInt64Array(STATFS_BYTES / 8);
  const address = libc.addressOf(new Uint8Array(statfs.buffer));
  const number = systemCallNumber("statfs");
  const status = libc.syscall(number, libc.addressOf(name), address, 0n, 0n, 0n, 0n);
  // The name is used behind the call, so that it is reachable up to then.
  if (status !== 0n || name.length === 0) return false;
  return statfs[0] === HOSTFS_SUPER_MAGIC || isOver9p(path);
}

/** Whether a virtual machine has a path from its host: over 9p statfs(2) tells the type that the host's file system has. */
function isOver9p(path: string): boolean {
  let point = "";
  let type = "";
  // proc_pid_mountinfo(5); of two mounts on one point the later one is seen.
  for (const line of tryReadText("/proc/self/mountinfo")?.split("\n") ?? []) {
    const [left, right] = line.split(" - ");
    const folder = left.split(" ")[4]?.replaceAll("\\040", " ");
    if (folder === undefined || right === undefined || folder.length < point.length) continue;
    if (folder !== "/" && path !== folder && !path.startsWith(`${folder}/`)) continue;
    point = folder;
    type = right.split(" ")[0];
  }
  return type === "9p";
}
