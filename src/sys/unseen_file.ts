import { check } from "./errno.ts";
import type { AppendedFile } from "./files.ts";
import { cString } from "./native_strings.ts";
import { O_APPEND, O_CLOEXEC, O_CREAT, O_EXCL, O_WRONLY } from "./system_calls.ts";
import { systemCallNumber } from "./system_calls.ts";
import type { LibcPart } from "./types.ts";

const APPEND_FLAGS = O_WRONLY | O_APPEND | O_CLOEXEC;
/** Of `struct stat`, whose first two words are `st_dev` and `st_ino`: they tell a file from all others. */
const STAT_BYTES = 144;

/**
 * Makes a file that the runtime does not know of: a test that must leave nothing open, or that has fewer permissions, is
 * not taken for the one that opened it.
 *
 * @throws {SyscallError} Where it cannot be made.
 */
export function createUnseenFile(
  libc: LibcPart<"open" | "write" | "close" | "fstat">,
  path: string,
  mode = 0o666,
): Required<AppendedFile> {
  let fd = open(O_CREAT | O_EXCL);
  const stat = new BigUint64Array(STAT_BYTES / 8);
  const statBytes = new Uint8Array(stat.buffer);
  const identity = identityOf();

  function open(flags: number): number {
    const opened = libc.open(cString(path), APPEND_FLAGS | flags, mode);
    return check(libc, "open", opened, `open ${path}`, "choose a folder that can be written to");
  }

  /** Device and number of the file that the descriptor is of now. */
  function identityOf(): string | undefined {
    if (libc.fstat === null) return "unknown"; // an old libc has no such function
    return libc.fstat(fd, statBytes) === -1 ? undefined : `${stat[0]} ${stat[1]}`;
  }

  return {
    write: (bytes) =>
      check(libc, "write", libc.write(fd, bytes, BigInt(bytes.length)), `write ${path}`, {
        ENOSPC: "make room on the disk",
        EDQUOT: "make room within the user's quota",
        otherwise: "choose another folder",
      }),
    truncate(size) {
      const number = systemCallNumber("ftruncate");
      const status = Number(libc.syscall(number, BigInt(fd), BigInt(size), 0n, 0n, 0n, 0n));
      check(libc, "ftruncate", status, `cut off ${path}`, "choose another folder");
    },
    isOpen: () => identityOf() === identity,
    reopen() {
      fd = open(0);
      if (identityOf() === identity) return;
      libc.close(fd);
      throw new TypeError(`${path} was replaced while tests ran: leave that folder alone`);
    },
    close: () => void libc.close(fd),
  };
}
