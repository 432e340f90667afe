import { cString } from "../sys/native_strings.ts";
import { O_CLOEXEC, O_WRONLY } from "../sys/system_calls.ts";
import { machineName } from "../sys/runtime.ts";
import type { LibcPart } from "../sys/types.ts";
import type { WriteThrough } from "./run_writer.ts";

// User-mode Linux exists for x86 alone, so the numbers are those of x86-64.
const SYS_statfs = 137n;
const SYS_sync_file_range = 277n;
/** `f_type` of a folder of user-mode Linux's host. */
const HOSTFS_SUPER_MAGIC = 0x00c0_ffeen;
const STATFS_BYTES = 120;
/** Without a wait: it writes at once. */
const SYNC_FILE_RANGE_WRITE = 2n;

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
  return {
    write() {
      const range = [BigInt(fd), 0n, 0n, SYNC_FILE_RANGE_WRITE] as const;
      libc.syscall(SYS_sync_file_range, ...range, 0n, 0n);
    },
    close: () => void libc.close(fd),
  };
}

/** Whether a path is on the host of user-mode Linux, on which this process then runs. */
export function isHostfs(
  libc: Pick<WriteThroughLibc, "syscall" | "addressOf">,
  path: string,
): boolean {
  if (machineName() !== "x86_64") return false;
  const name = cString(path);
  const statfs = new BigInt64Array(STATFS_BYTES / 8);
  const address = libc.addressOf(new Uint8Array(statfs.buffer));
  const status = libc.syscall(SYS_statfs, libc.addressOf(name), address, 0n, 0n, 0n, 0n);
  // The name is used behind the call, so that it is reachable up to then.
  return status === 0n && name.length > 0 && statfs[0] === HOSTFS_SUPER_MAGIC;
}
