import {
  ENOTSUPP,
  KCOV_DISABLE,
  KCOV_ENABLE,
  KCOV_INIT_TRACE,
  KCOV_PATH,
  KCOV_REMOTE_ENABLE,
  KCOV_RESET_TRACE,
  KCOV_TRACE_CALLS,
  KCOV_TRACE_CMP,
} from "../../src/kcov/abi.ts";
import { LIBC_FUNCTIONS } from "../../src/sys/libc_functions.ts";
import { type Libc, type LibcFunctions, MAP_FAILED } from "../../src/sys/types.ts";

export const EPERM = 1;
export const ENOENT = 2;
export const ENOSYS = 38;
export const EBADF = 9;
export const ENOMEM = 12;
export const EACCES = 13;
export const EBUSY = 16;
export const EEXIST = 17;
export const EINVAL = 22;
export const ENOTTY = 25;

const IOCTL_NAMES = new Map([
  [KCOV_INIT_TRACE, "KCOV_INIT_TRACE"],
  [KCOV_ENABLE, "KCOV_ENABLE"],
  [KCOV_DISABLE, "KCOV_DISABLE"],
  [KCOV_RESET_TRACE, "KCOV_RESET_TRACE"],
  [KCOV_REMOTE_ENABLE, "KCOV_REMOTE_ENABLE"],
]);

/** A KCOV descriptor of the fake kernel: the states of `struct kcov` in kernel/kcov.c. */
interface FakeKcov {
  buffer: ArrayBuffer | undefined;
  tracing: boolean;
  compares: boolean;
}

export interface FakeLibcOptions {
  /** errno by step: a function name, or the name of an ioctl request. */
  readonly fail?: Readonly<Record<string, number>>;
  /** PCs that each system call records while its thread is traced, by step. */
  readonly pcs?: Readonly<Record<string, readonly bigint[]>>;
  /** Whether the kernel knows KCOV_UNIQUE_ENABLE. */
  readonly unique?: boolean;
  /** What the kernel knows of comparisons: their operands, their calls as well, or neither. */
  readonly comparisons?: "operands" | "calls" | "none";
  /** Whether a thread can have a device of its own beside a remote one. */
  readonly bothKinds?: boolean;
  /** How many common handles other processes have: so many are refused. */
  readonly takenHandles?: number;
}

/** A libc over a kernel made of plain objects. It logs each call and can fail at each step. */
export interface FakeLibc extends Libc {
  /** Names of the calls made, in order; ioctl by its request. */
  readonly log: string[];
  /** Descriptors open now. */
  readonly openDescriptors: Set<number>;
  /** Makes the traced thread run coverage points, as a system call of the test would. */
  record(...pcs: bigint[]): void;
  /** Makes a worker of the kernel run coverage points for the thread's handle. */
  recordRemotely(...pcs: bigint[]): void;
  /** Makes it compare: type, both operands and PC of each comparison. */
  compare(...comparisons: (readonly [bigint, bigint, bigint, bigint])[]): void;
  /** Buffers mapped now. */
  readonly mappings: Map<bigint, ArrayBuffer>;
}

export function fakeLibc(options: FakeLibcOptions = {}): FakeLibc {
  const { fail = {}, pcs = {}, unique = false, comparisons = "operands", bothKinds = true } =
    options;
  let { takenHandles = 0 } = options;
  const log: string[] = [];
  const devices = new Map<number, FakeKcov>();
  const openDescriptors = new Set<number>();
  const mappings = new Map<bigint, ArrayBuffer>();
  let errno = 0;
  let nextFd = 10;
  let nextAddress = 0x7f00_0000_0000n;
  let traced: FakeKcov | undefined;
  let remote: FakeKcov | undefined;

  function record(...values: readonly bigint[]): void {
    if (traced?.compares === false) append(traced, values);
  }
  function append({ buffer }: FakeKcov, values: readonly bigint[]): void {
    const words = new BigUint64Array(buffer!);
    for (const value of values) {
      const position = Number(words[0]) + 1;
      if (position >= words.length) return; // dropped, as the kernel does
      words[0] = BigInt(position);
      words[position] = BigInt.asUintN(64, value);
    }
  }
  function compare(...values: readonly (readonly [bigint, bigint, bigint, bigint])[]): void {
    if (traced?.buffer === undefined || !traced.compares) return;
    const words = new BigUint64Array(traced.buffer);
    for (const value of values) {
      const count = Number(words[0]);
      if (1 + 4 * (count + 1) > words.length) return;
      words[0] = BigInt(count + 1);
      words.set(value.map((word) => BigInt.asUintN(64, word)), 1 + 4 * count);
    }
  }
  /** Logs the step, and says whether it fails. */
  function failing(step: string): boolean {
    log.push(step);
    record(...pcs[step] ?? []);
    if (fail[step] === undefined) return false;
    errno = fail[step];
    return true;
  }
  function refuse(value: number): -1 {
    errno = value;
    return -1;
  }

  const unused = Object.fromEntries(
    Object.keys(LIBC_FUNCTIONS).map((name) => [name, () => {
      throw new TypeError(`The fake libc has no ${name}: add it where a test needs it`);
    }]),
  ) as unknown as LibcFunctions;

  return {
    ...unused,
    log,
    openDescriptors,
    mappings,
    record,
    compare,
    recordRemotely(...values) {
      if (remote !== undefined) append(remote, values);
    },
    poll: () => 0,
    errno: () => errno,
    threadId: () => 4242,
    sysconf: () => 4096n,
    getpid: () => 4242,
    open(path) {
      if (failing("open")) return -1;
      const name = new TextDecoder().decode(path!.subarray(0, -1));
      if (name !== KCOV_PATH) return refuse(ENOENT);
      const fd = nextFd++;
      openDescriptors.add(fd);
      devices.set(fd, { buffer: undefined, tracing: false, compares: false });
      return fd;
    },
    close(fd) {
      if (failing("close")) return -1;
      devices.delete(fd);
      return openDescriptors.delete(fd) ? 0 : refuse(EBADF);
    },
    syscall() {
      return BigInt(refuse(ENOSYS));
    },
    read() {
      return failing("read") ? -1 : refuse(EBADF);
    },
    mmap(_address, length, _protection, _flags, fd) {
      if (failing("mmap")) return MAP_FAILED;
      const buffer = devices.get(fd)?.buffer;
      if (buffer === undefined || BigInt(buffer.byteLength) !== length) {
        refuse(EINVAL);
        return MAP_FAILED;
      }
      nextAddress += length;
      mappings.set(nextAddress, buffer);
      return nextAddress;
    },
    munmap(address) {
      if (failing("munmap")) return -1;
      return mappings.delete(address) ? 0 : refuse(EINVAL);
    },
    view(address) {
      const buffer = mappings.get(address);
      if (buffer === undefined) throw new RangeError("nothing is mapped there");
      return buffer;
    },
    addressOf: () => 0x1000n,
    ioctl(fd, request, argument) {
      const step = IOCTL_NAMES.get(request) ?? `0x${request.toString(16)}`;
      if (failing(step)) return -1;
      const device = devices.get(fd);
      if (device === undefined) return refuse(EBADF);
      switch (request) {
        case KCOV_INIT_TRACE:
          if (argument < 2n || argument > 268_435_455n) return refuse(EINVAL);
          if (device.buffer !== undefined) return refuse(EBUSY);
          device.buffer = new ArrayBuffer(Number(argument) * 8);
          return 0;
        case KCOV_ENABLE:
          if (device.buffer === undefined || device.tracing) return refuse(EINVAL);
          if (traced !== undefined || (!bothKinds && remote !== undefined)) return refuse(EBUSY);
          if (argument !== 0n) {
            const hasCalls = comparisons === "calls";
            if (argument !== KCOV_TRACE_CMP && !hasCalls) return refuse(EINVAL);
            if ((argument & ~KCOV_TRACE_CALLS) !== KCOV_TRACE_CMP) return refuse(EINVAL);
            if (comparisons === "none") return refuse(ENOTSUPP);
          }
          device.compares = argument !== 0n;
          device.tracing = true;
          traced = device;
          record(0xffff_ffff_8100_0001n); // the return path of enabling is recorded
          return 0;
        case KCOV_REMOTE_ENABLE:
          if (device.buffer === undefined || device.tracing) return refuse(EINVAL);
          if (remote !== undefined || (!bothKinds && traced !== undefined)) return refuse(EBUSY);
          if (takenHandles-- > 0) return refuse(EEXIST);
          device.tracing = true;
          remote = device;
          return 0;
        case KCOV_DISABLE:
          if (argument === 0n && remote === device) {
            device.tracing = false;
            remote = undefined;
            return 0;
          }
          if (argument !== 0n || traced !== device) return refuse(EINVAL);
          record(0xffff_ffff_8100_0002n); // so is the entry of disabling
          device.tracing = false;
          traced = undefined;
          return 0;
        case KCOV_RESET_TRACE:
          return refuse(unique ? EINVAL : ENOTTY);
        default:
          return refuse(ENOTTY);
      }
    },
  };
}
