import { constants } from "node:os";
import type { Readable, Writable } from "node:stream";
import { onSignals } from "../signals.ts";
import type { WindowSize } from "./guest_protocol.ts";
import type { GuestSession } from "./guest_session.ts";

/** Passes on signals such as Ctrl-C, which are meant for the command. The result ends that. */
export function takeSignals(session: GuestSession): () => void {
  return onSignals(
    ["SIGHUP", "SIGINT", "SIGTERM"],
    (name) => session.interrupt(constants.signals[name]),
  );
}

/** The guest's terminal takes the keys, Ctrl-C among them, and follows the size of this one. The result ends that. */
export function takeTerminal(
  stdin: Readable | null,
  stdout: Writable,
  session: GuestSession,
): () => void {
  const keyboard = stdin as (Readable & { setRawMode?: (raw: boolean) => void }) | null;
  const onResize = (): void => session.resize(windowSize(stdout));
  const forgetSignals = takeSignals(session);
  keyboard?.setRawMode?.(true);
  stdout.on("resize", onResize);
  return () => {
    forgetSignals();
    stdout.off("resize", onResize);
    keyboard?.setRawMode?.(false);
  };
}

/** Whether a stream is a terminal. */
export function isTerminal(stream: Readable | Writable | null): boolean {
  return (stream as { isTTY?: boolean } | null)?.isTTY === true;
}

/** Size of the terminal that `stream` is, or the usual one. */
export function windowSize(stream: Writable): WindowSize {
  const { rows, columns } = stream as Writable & { rows?: number; columns?: number };
  return { rows: rows ?? 24, columns: columns ?? 80 };
}
