import { check } from "../../sys/errno.ts";
import { cString } from "../../sys/native_strings.ts";
import { O_CLOEXEC, O_RDWR } from "../../sys/system_calls.ts";
import type { Libc } from "../../sys/types.ts";
import {
  KCOV_DISABLE,
  KCOV_ENABLE,
  KCOV_INIT_TRACE,
  KCOV_PATH,
  KCOV_TRACE_CMP,
  KCOV_TRACE_PC,
  MAX_WORDS,
  MIN_WORDS,
  WORD_BYTES,
} from "../abi.ts";
import type { DeviceRequest } from "./broker_message.ts";

const EBUSY = 16;
const EINVAL = 22;

/** What a broker calls of its devices. */
export type DeviceLibc = Pick<Libc, "close" | "errno" | "ioctl" | "open">;

/** A device of a user. */
export interface LentDevice extends DeviceRequest {
  readonly user: number;
  readonly fd: number;
}

/**
 * The devices of each user. One that was given back is kept, for later requests of the same user alone: who keeps a
 * descriptor of it all the same gets no more memory for that. So the limit holds whatever a user does.
 */
export class BrokerDevices {
  readonly #libc: DeviceLibc;
  readonly #limit: number;
  readonly #idle = new Map<number, LentDevice[]>();
  readonly #bytes = new Map<number, number>();

  /** @param limit Bytes of the buffers that a user can have, those that were given back included. */
  constructor(libc: DeviceLibc, limit: number) {
    this.#libc = libc;
    this.#limit = limit;
  }

  /** A device for a user: `over` where it has too much memory already, or the errno of what the kernel refused. */
  take(user: number, { use, words }: DeviceRequest): LentDevice | "over" | number {
    const idle = this.#idle.get(user) ?? [];
    const at = idle.findIndex((device) =>
      device.use === use && device.words === words && this.#isFree(device)
    );
    if (at >= 0) return idle.splice(at, 1)[0];
    if (words < MIN_WORDS || words > MAX_WORDS) return EINVAL;
    const bytes = (this.#bytes.get(user) ?? 0) + words * WORD_BYTES;
    if (bytes > this.#limit) return "over";
    const fd = this.#open(words);
    if (fd < 0) return -fd;
    this.#bytes.set(user, bytes);
    return { user, use, words, fd };
  }

  /** Takes a device back. */
  give(device: LentDevice): void {
    const idle = this.#idle.get(device.user) ?? [];
    this.#idle.set(device.user, [...idle, device]);
  }

  /** Whether this kernel's devices also tell which values the kernel compares, addresses among them. */
  get tellsComparisons(): boolean {
    const fd = this.#open(512);
    if (fd < 0) return false;
    const told = this.#libc.ioctl(fd, KCOV_ENABLE, KCOV_TRACE_CMP) === 0;
    if (told) this.#libc.ioctl(fd, KCOV_DISABLE, 0n);
    this.#libc.close(fd);
    return told;
  }

  /**
   * Checks that this process can open the device.
   *
   * @throws {SyscallError} It cannot.
   */
  probe(): void {
    const fd = this.#libc.open(cString(KCOV_PATH), O_RDWR | O_CLOEXEC, 0);
    this.#libc.close(check(this.#libc, "open", fd, `open ${KCOV_PATH}`, {
      ENOENT: "mount debugfs, or use a kernel with CONFIG_KCOV=y",
      EACCES: "start the broker as root",
      EPERM: "boot without kernel lockdown",
      otherwise: "run kernelcov doctor to see what is missing",
    }));
  }

  /** The descriptor, or minus an errno. */
  #open(words: number): number {
    const fd = this.#libc.open(cString(KCOV_PATH), O_RDWR | O_CLOEXEC, 0);
    if (fd === -1) return -this.#libc.errno();
    if (this.#libc.ioctl(fd, KCOV_INIT_TRACE, BigInt(words)) !== -1) return fd;
    const errno = this.#libc.errno();
    this.#libc.close(fd);
    return -errno;
  }

  /** Whether no task records with it: one that outlived the process that had asked for it may. */
  #isFree({ fd }: LentDevice): boolean {
    if (this.#libc.ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC) === -1) {
      return this.#libc.errno() !== EBUSY;
    }
    this.#libc.ioctl(fd, KCOV_DISABLE, 0n);
    return true;
  }
}
