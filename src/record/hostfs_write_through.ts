import { check } from "../sys/errno.ts";
import { cString } from "../sys/native_strings.ts";
import { machineName } from "../sys/runtime.ts";
import type { LibcPart } from "../sys/types.ts";
import type { WriteThrough } from "./run_folder.ts";

// User-mode Linux exists for x86 alone, so the numbers are those of x86-64.
const SYS_statfs = 137n;
const SYS_sync_file_range = 277n;
/** `f_type` of a folder of user-mode Linux's host. */
const HOSTFS_SUPER_MAGIC = 0x00c0_ffee;
const STATFS_BYTES = 120;
const O_WRONLY = 1;
const O_CLOEXEC = 0x8_0000;
const SYNC_FILE_RANGE_WRITE_AND_WAIT = 7n;

/** What the calls need. */
export type WriteThroughLibc = LibcPart<"open" | "close">;

/**
 * How to bring files of a folder out of this kernel's memory; `undefined` where this kernel is not a guest that writes
 * them to its host.
 *
 * Such a guest keeps what was written in its own memory for up to half a minute, and a crash loses it. fsync(2) would make
 * the host wait for its disk; this hands the pages to the host, which is enough.
 */
export function hostfsWriteThrough(
  libc: WriteThroughLibc,
  folder: string,
): ((path: string) => WriteThrough) | undefined {
  if (machineName() !== "x86_64" || !isHostfs(libc, folder)) return undefined;
  return (path) => {
    const fd = check(
      libc,
      "open",
      libc.open(cString(path), O_WRONLY | O_CLOEXEC, 0),
      `open ${path}`,
      "check that the folder may be written to",
    );
    return {
      write() {
        libc.syscall(
          SYS_sync_file_range,
          BigInt(fd),
          0n,
          0n,
          SYNC_FILE_RANGE_WRITE_AND_WAIT,
          0n,
          0n,
        );
      },
      close: () => void libc.close(fd),
    };
  };
}

function isHostfs(libc: WriteThroughLibc, folder: string): boolean {
  const path = cString(folder);
  const statfs = new Uint8Array(STATFS_BYTES);
  const status = libc.syscall(
    SYS_statfs,
    libc.addressOf(path),
    libc.addressOf(statfs),
    0n,
    0n,
    0n,
    0n,
  );
  return status === 0n && path.length > 0 &&
    new DataView(statfs.buffer).getBigInt64(0, true) === BigInt(HOSTFS_SUPER_MAGIC);
}
