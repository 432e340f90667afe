import { SyscallError } from "../errors.ts";
import { syscallError } from "../sys/errno.ts";
import { cString } from "../sys/native_strings.ts";
import { SharedMapping } from "../sys/shared_mapping.ts";
import { O_CLOEXEC, O_RDWR } from "../sys/system_calls.ts";
import type { LibcPart } from "../sys/types.ts";
import { KCOV_INIT_TRACE, KCOV_PATH, MAX_WORDS, MIN_WORDS, WORD_BYTES } from "./abi.ts";
import { borrowDevice } from "./broker/borrow_device.ts";
import type { DeviceUse } from "./broker/broker_message.ts";

const _SC_PAGESIZE = 30;
const LEAST_WORDS = 512;

/** What opening a device calls. */
export type KcovLibc = LibcPart<"open" | "close" | "ioctl" | "mmap" | "munmap" | "sysconf">;

/** An open KCOV descriptor, whose buffer is mapped. */
export interface OpenKcov {
  readonly fd: number;
  readonly mapping: SharedMapping;
}

/** Connections to the broker, by the device that each stands for. Module state is per thread, as devices are. */
const leases = new Map<number, number>();

/**
 * Opens the device, allocates a buffer of `words` and maps it. Where this process may not open it, the machine's broker
 * does so for it.
 *
 * @param use What for: {@linkcode DeviceUse}.
 * @param viewedWords How many of the words are viewed at once, from the first on; all by default.
 * @throws {RangeError} Where KCOV takes no such size; before any call.
 * @throws {SyscallError} Where the kernel or the broker refuses a step; what was opened before is released.
 */
export function openKcov(
  libc: KcovLibc,
  words: number,
  use: DeviceUse = "thread",
  viewedWords: number = words,
): OpenKcov {
  checkWords(words, Number(libc.sysconf(_SC_PAGESIZE)));
  const fd = openDevice(libc, words, use);
  try {
    const what = "the coverage buffer";
    const mapping = new SharedMapping(libc, fd, words * WORD_BYTES, what, viewedWords * WORD_BYTES);
    // The broker may have lent it before.
    if (leases.has(fd)) mapping.viewed((memory) => new Uint8Array(memory).fill(0));
    return { fd, mapping };
  } catch (error) {
    closeKcov(libc, fd);
    throw error;
  }
}

/** Closes a device, and gives it back where the broker has opened it. @returns What `close` does. */
export function closeKcov(libc: Pick<KcovLibc, "close">, fd: number): number {
  const lease = leases.get(fd);
  leases.delete(fd);
  if (lease !== undefined) libc.close(lease);
  // Last, so that errno is that of the device.
  return libc.close(fd);
}

/**
 * Asks a device something that needs no buffer, and closes it.
 *
 * @throws {SyscallError} Where neither this process nor the broker can open one.
 */
export function askKcov<Answer>(libc: KcovLibc, ask: (fd: number) => Answer): Answer {
  const opened = libc.open(cString(KCOV_PATH), O_RDWR | O_CLOEXEC, 0);
  // The broker lends none without a buffer.
  const fd = opened === -1 ? borrow(libc, libc.errno(), LEAST_WORDS, "tracer") : opened;
  try {
    return ask(fd);
  } finally {
    closeKcov(libc, fd);
  }
}

/** A device with its buffer allocated. */
function openDevice(libc: KcovLibc, words: number, use: DeviceUse): number {
  const fd = libc.open(cString(KCOV_PATH), O_RDWR | O_CLOEXEC, 0);
  if (fd === -1) return borrow(libc, libc.errno(), words, use);
  const inited = libc.ioctl(fd, KCOV_INIT_TRACE, BigInt(words));
  if (inited !== -1) return fd;
  const errno = libc.errno();
  libc.close(fd);
  throw syscallError("ioctl(KCOV_INIT_TRACE)", errno, `allocate ${words} words`, {
    ENOMEM: "use a smaller buffer",
    EINVAL: "use a buffer of another size",
    ENOTTY: `check that ${KCOV_PATH} is the coverage device of a 64-bit kernel`,
    otherwise: "run kernelcov doctor to see what is missing",
  });
}

/** @param errno Why the device cannot be opened here. */
function borrow(libc: KcovLibc, errno: number, words: number, use: DeviceUse): number {
  const device = borrowDevice(libc, { use, words });
  if (device instanceof SyscallError) throw device;
  if (device === undefined) {
    throw syscallError("open", errno, `open ${KCOV_PATH}`, {
      ENOENT: "mount debugfs, or use a kernel with CONFIG_KCOV=y",
      EACCES: "run as root, or have root start kernelcov broker",
      EMFILE: "raise the limit of open files (ulimit -n)",
      EPERM: "boot without kernel lockdown",
      otherwise: "run kernelcov doctor to see what is missing",
    });
  }
  leases.set(device.fd, device.lease);
  return device.fd;
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
