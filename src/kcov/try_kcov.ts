import type { Libc } from "../sys/types.ts";
import { KcovDevice } from "./kcov_device.ts";

const WORDS = 8192;

/** What came of recording one system call. */
export interface KcovTrial {
  /** How many coverage points ran; 0 where the kernel has the device, but no coverage calls in its code. */
  readonly points: number;
  /** Whether the kernel can store each PC once (`KCOV_UNIQUE_ENABLE`). */
  readonly uniqueMode: boolean;
}

/**
 * Records one system call of the calling thread. Nothing is left open.
 *
 * @throws {KcovUnavailableError} Where the thread is recorded already.
 * @throws {SyscallError} Where the device fails otherwise.
 */
export function tryKcov(libc: Libc): KcovTrial {
  using device = KcovDevice.open({ words: WORDS, libc });
  const uniqueMode = device.hasUniqueMode();
  device.enable();
  device.reset();
  libc.read(-1, null, 0n);
  const points = device.count();
  device.disable();
  return { points, uniqueMode };
}

/** Whether the kernel can store each PC once, without recording anything. */
export function hasUniqueMode(libc: Libc): boolean {
  using device = KcovDevice.open({ words: WORDS, libc });
  return device.hasUniqueMode();
}
