import process from "node:process";
import type { Readable, Writable } from "node:stream";
import type { WindowSize } from "./guest_protocol.ts";
import type { GuestSession } from "./guest_session.ts";

const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/** Ctrl-C and the like reach this process; they are meant for the command. The result ends that. */
export function takeSignals(session: GuestSession): () => void {
  const handlers = Object.entries(SIGNALS).map(([name, number]) => {
    const handler = (): void => session.interrupt(number);
    process.on(name, handler);
    return () => void process.off(name, handler);
  });
  return () => handlers.forEach((forget) => forget());
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
