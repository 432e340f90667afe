import { constants } from "node:os";
import process from "node:process";
import { onSignals } from "../machines/signals.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Holds back the signals that end this process while files are written, so that none is left in part:
 * {@linkcode pass} between two files lets them through.
 */
export class SignalHold implements Disposable {
  #held: (typeof SIGNALS)[number] | undefined;
  readonly #release = onSignals(SIGNALS, (signal) => {
    this.#held ??= signal;
  });

  /** Ends the process, with 128 and the signal's number, where one came meanwhile. */
  async pass(): Promise<void> {
    // Signals arrive between two turns of the event loop; Deno delivers one in a hundred a turn later.
    for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
    if (this.#held !== undefined) process.exit(128 + constants.signals[this.#held]);
  }

  /** Lets signals through again. */
  [Symbol.dispose](): void {
    this.#release();
  }
}
