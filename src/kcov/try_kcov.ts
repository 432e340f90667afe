import type { Libc } from "../sys/types.ts";
import { KcovDevice } from "./kcov_device.ts";

/** Words of the buffer that a device is tried with. */
export const TRIAL_WORDS = 8192;

/** What a device tells when it is tried. */
export interface KcovTrial {
  /** How many coverage points ran; 0 where the kernel has the device, but no coverage calls in its code. */
  readonly points: number;
  /** Whether the kernel can store each PC once (`KCOV_UNIQUE_ENABLE`). */
  readonly uniqueMode: boolean;
}

/**
 * Opens a device, and records one system call of the calling thread with it. Nothing is left open.
 *
 * @param record False for a thread that is recorded already: then no points are.
 * @throws {KcovUnavailableError} Where the thread is recorded already.
 * @throws {SyscallError} Where the device fails otherwise.
 */
export function tryKcov(libc: Libc, record: boolean): KcovTrial {
  using device = KcovDevice.open({ words: TRIAL_WORDS, libc });
  const uniqueMode = device.hasUniqueMode();
  if (!record) return { points: 0, uniqueMode };
  device.enable();
  device.reset();
  libc.read(-1, null, 0n);
  const points = device.count();
  device.disable();
  return { points, uniqueMode };
}
