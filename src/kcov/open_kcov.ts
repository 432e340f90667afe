import { check } from "../sys/errno.ts";
import { cString } from "../sys/native_strings.ts";
import { SharedMapping } from "../sys/shared_mapping.ts";
import { O_CLOEXEC, O_RDWR } from "../sys/system_calls.ts";
import type { LibcPart } from "../sys/types.ts";
import { KCOV_INIT_TRACE, KCOV_PATH, MAX_WORDS, MIN_WORDS, WORD_BYTES } from "./abi.ts";

const _SC_PAGESIZE = 30;

/** What opening a device calls. */
export type KcovLibc = LibcPart<"open" | "close" | "ioctl" | "mmap" | "munmap" | "sysconf">;

/** An open KCOV descriptor, whose buffer is mapped. */
export interface OpenKcov {
  readonly fd: number;
  readonly mapping: SharedMapping;
}

/**
 * Opens the device, allocates a buffer of `words` and maps it.
 *
 * @throws {RangeError} Where KCOV takes no such size; before any call.
 * @throws {SyscallError} Where the kernel refuses a step; what was opened before is released.
 */
export function openKcov(libc: KcovLibc, words: number): OpenKcov {
  checkWords(words, Number(libc.sysconf(_SC_PAGESIZE)));
  const opened = libc.open(cString(KCOV_PATH), O_RDWR | O_CLOEXEC, 0);
  const fd = check(libc, "open", opened, `open ${KCOV_PATH}`, {
    ENOENT: "mount debugfs, or use a kernel with CONFIG_KCOV=y",
    EACCES: "run as root",
    EPERM: "boot without kernel lockdown",
    otherwise: "run kernelcov doctor to see what is missing",
  });
  try {
    const inited = libc.ioctl(fd, KCOV_INIT_TRACE, BigInt(words));
    check(libc, "ioctl(KCOV_INIT_TRACE)", inited, `allocate ${words} words`, {
      ENOMEM: "use a smaller buffer",
      EINVAL: "use a buffer of another size",
      ENOTTY: `check that ${KCOV_PATH} is the coverage device of a 64-bit kernel`,
      otherwise: "run kernelcov doctor to see what is missing",
    });
    const mapping = new SharedMapping(libc, fd, words * WORD_BYTES, "the coverage buffer");
    return { fd, mapping };
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}

/** Refuses sizes that KCOV_INIT_TRACE takes or refuses without saying why: a size off the page can never be mapped. */
function checkWords(words: number, pageBytes: number): void {
  const step = pageBytes / WORD_BYTES;
  if (Number.isInteger(words) && words >= MIN_WORDS && words <= MAX_WORDS && words % step === 0) {
    return;
  }
  throw new RangeError(
    `Cannot use a coverage buffer of ${words} words: use a multiple of ${step} from ${step} to ${
      Math.floor(MAX_WORDS / step) * step
    }`,
  );
}
