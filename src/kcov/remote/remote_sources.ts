/**
 * Whose work in the kernel's own tasks is recorded: `common`, what the kernel does for the test's thread in places that
 * pass the thread's handle on, as for vhost, Bluetooth, NFC and mac80211; `usb:N`, what it does for USB bus N, from 1
 * to 255.
 *
 * @see `KCOV_REMOTE_ENABLE` and `KCOV_SUBSYSTEM_USB` in `include/uapi/linux/kcov.h` of Linux
 *
 * @example
 * ```ts
 * import { type RemoteSource, withKernelCoverage } from "kernelcov";
 * const remote: RemoteSource[] = ["common", "usb:1"];
 * withKernelCoverage(() => {}, { name: "a device is plugged in", remote });
 * ```
 */
export type RemoteSource = "common" | `usb:${number}`;

/** Subsystem of the handles of USB buses, in the highest byte. */
const SUBSYSTEM_USB = 1n << 56n;
const MOST_BUSES = 255;

/**
 * Sources as the environment and the command have them: `common,usb:1`.
 *
 * @throws {TypeError} One is none.
 */
export function parseRemoteSources(text: string): RemoteSource[] {
  const names = text.split(",").filter((name) => name !== "");
  return [...new Set(names.map(checkRemoteSource))];
}

/** @throws {TypeError} It is no source. */
export function checkRemoteSource(name: string): RemoteSource {
  if (name === "common") return name;
  const bus = Number(/^usb:(\d+)$/.exec(name)?.[1]);
  if (bus >= 1 && bus <= MOST_BUSES) return `usb:${bus}`;
  throw new TypeError(
    `"${name}" is no source of remote coverage: use common, or usb:N for USB bus N`,
  );
}

/** The handles of USB buses among sources. */
export function busHandles(sources: readonly RemoteSource[]): bigint[] {
  return sources.filter((source) => source !== "common")
    .map((source) => SUBSYSTEM_USB | BigInt(source.slice("usb:".length)));
}

/** A handle that hardly any other process has: the kernel refuses one that any has. */
export function newCommonHandle(): bigint {
  const [instance] = crypto.getRandomValues(new Uint32Array(1));
  return BigInt(instance === 0 ? 1 : instance);
}
