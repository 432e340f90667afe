import type { LibcPart } from "../sys/types.ts";
import type { Collector } from "./collector.ts";

/** How long to wait at most for what is still queued, in milliseconds. */
const LATE_MS = 100;
/** After so many milliseconds in which nothing of it ran, nothing is waited for any longer: a timer may be far away. */
const STILL_MS = 15;

/** Waits until nothing is queued any more on behalf of collectors, with a limit. */
export function awaitLate(libc: LibcPart<"poll">, collectors: readonly Collector[]): void {
  const queued = (): number => collectors.reduce((sum, { pending }) => sum + pending, 0);
  let last = queued(), now = performance.now();
  const end = now + LATE_MS;
  for (
    let still = now + STILL_MS;
    last > 0 && now < Math.min(end, still);
    now = performance.now()
  ) {
    libc.poll(null, 0n, 1);
    const left = queued();
    if (left !== last) still = now + STILL_MS;
    last = left;
  }
}
