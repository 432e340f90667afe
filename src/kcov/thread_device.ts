import { KcovDevice, type KcovDeviceOptions } from "./kcov_device.ts";
import { setThreadRecorded } from "./recorder.ts";

/** Module state is per thread: each Worker and each file of `deno test` loads its own modules. */
let device: KcovDevice | undefined;

/**
 * The calling thread's device, opened on first use and kept: a thread can be recorded by one device only, and opening
 * one allocates its whole buffer. `options` matter when it is opened.
 *
 * @throws {SyscallError} Where it cannot be opened.
 */
export function threadDevice(options: KcovDeviceOptions = {}): KcovDevice {
  if (device === undefined || device.closed) {
    device = KcovDevice.open(options);
    setThreadRecorded(true);
  }
  return device;
}

/** Closes the calling thread's device, where there is one. */
export function closeThreadDevice(): void {
  const open = device;
  device = undefined;
  if (open !== undefined) setThreadRecorded(false);
  open?.close();
}

/** Lets go of the calling thread's device, whose descriptor other code has closed: the next use opens another. */
export function abandonThreadDevice(): void {
  const lost = device;
  device = undefined;
  setThreadRecorded(false);
  lost?.abandon();
}
