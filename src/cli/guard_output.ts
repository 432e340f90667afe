import process from "node:process";
import { errorReason } from "../sys/file_error.ts";

type Write = typeof process.stdout.write;

/**
 * Makes standard output and standard error survive a reader that went away (`| head`) and a full disk: what is written
 * from then on is dropped. A reader that went away is not an error; anything else is one line on
 * standard error, and exit status 1 where the command would have ended with 0.
 *
 * Runtimes report it in two ways: `write` throws, or the stream has an `error` event, also after the command is done.
 */
export function guardOutput(): void {
  guard(process.stdout, (error) => {
    if (errorReason(error) === "EPIPE") return;
    process.exitCode ||= 1;
    process.stderr.write(
      `kernelcov: Cannot write to standard output: ${errorReason(error)}: check where it goes\n`,
    );
  });
  guard(process.stderr, () => {});
}

function guard(stream: NodeJS.WriteStream, tell: (error: unknown) => void): void {
  let failed = false;
  stream.on("error", (error) => {
    if (failed) return;
    failed = true;
    tell(error);
  });
  const write = stream.write.bind(stream) as (...args: unknown[]) => boolean;
  stream.write = ((...args: unknown[]): boolean => {
    if (!failed) {
      try {
        return write(...args);
      } catch (error) {
        // Who pipes a command's output listens too.
        stream.emit("error", error);
      }
    }
    const done = args.at(-1);
    if (typeof done === "function") queueMicrotask(() => done());
    return true;
  }) as Write;
}
