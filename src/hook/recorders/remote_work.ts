import { KcovUnavailableError } from "../../errors.ts";
import type { DecodedPcs } from "../../kcov/decode_pcs.ts";
import { RemoteDevice } from "../../kcov/remote/remote_device.ts";
import type { RemoteSource } from "../../kcov/remote/remote_sources.ts";
import { sayOncePerRun } from "../../record/say_once.ts";
import type { Libc } from "../../sys/types.ts";

/** After so many milliseconds without anything new, all is taken to be there; and after so many in any case. */
const STILL_MS = 15;
const LATEST_MS = 200;

/** What the kernel's own tasks do for a thread's tests: one device, enabled from the first of them that asks for it. */
export class RemoteWork {
  readonly #libc: () => Libc;
  #device: RemoteDevice | undefined;

  /** @param libc Opens libc. */
  constructor(libc: () => Libc) {
    this.#libc = libc;
  }

  /**
   * Sees to it that the sources are recorded.
   *
   * @returns How many PCs there are already; `undefined`, with a line that says why, where they cannot be recorded.
   */
  begin(sources: readonly RemoteSource[], alone: boolean): number | undefined {
    try {
      const device = this.#deviceFor(sources, alone);
      if (alone) device.reset();
      return device.count();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      sayOncePerRun(`no remote coverage: ${message}`);
      return undefined;
    }
  }

  #deviceFor(sources: readonly RemoteSource[], alone: boolean): RemoteDevice {
    const known = this.#device;
    if (known !== undefined && known.sources.join() === sources.join()) return known;
    if (known !== undefined && !alone) {
      throw new KcovUnavailableError(
        "busy",
        "tests that overlap have the same sources: those of the first are recorded",
      );
    }
    this.close();
    const device = RemoteDevice.open(this.#libc(), { sources });
    try {
      device.enable();
    } catch (error) {
      device.close();
      throw error;
    }
    return this.#device = device;
  }

  /** Whether the thread has its device. */
  get enabled(): boolean {
    return this.#device?.enabled === true;
  }

  /** What was done since there were `start` PCs; waits a moment for what is still done. */
  end(start: number): { readonly points: DecodedPcs; readonly truncated: boolean } {
    this.#settle();
    return this.read(start);
  }

  /** The same up to now. */
  read(start: number): { readonly points: DecodedPcs; readonly truncated: boolean } {
    const device = this.#device!;
    const end = device.count();
    return { points: device.decode(Math.min(start, end), end), truncated: end === device.capacity };
  }

  /** Work is appended when it ends, which may be after the system call that it is for. */
  #settle(): void {
    const libc = this.#libc(), device = this.#device!;
    const begun = performance.now();
    let last = device.count();
    for (let now = begun, still = begun; now < begun + LATEST_MS && now < still + STILL_MS;) {
      libc.poll(null, 0n, 1);
      now = performance.now();
      const count = device.count();
      if (count !== last) still = now;
      last = count;
    }
  }

  /** Ends recording; a later `begin` opens another device. */
  close(): void {
    const device = this.#device;
    this.#device = undefined;
    device?.close();
  }
}
