import { KcovUnavailableError } from "../../errors.ts";
import type { Machine } from "../../machines/machine.ts";
import { UsageError } from "../command_line.ts";

/** What records threads and processes in `tree` scope. */
export type RecorderName = "collectors" | "ptrace";

/**
 * The recorder of comparisons for `--recorder auto|collectors`.
 *
 * @param needsPtrace an option of the command that only ptrace can follow
 * @throws {UsageError} There is no such recorder, or it cannot record comparisons.
 * @throws {KcovUnavailableError} The machine's kernel has no collectors.
 */
export function chooseComparing(
  asked: string,
  machine: Pick<Machine, "collectors">,
  needsPtrace?: string,
): RecorderName {
  if (asked === "ptrace" || needsPtrace !== undefined) {
    throw new UsageError(
      `A tracer does not record comparisons: leave out ${needsPtrace ?? "--recorder ptrace"}`,
    );
  }
  if (asked !== "auto" || machine.collectors) return chooseRecorder(asked, machine);
  throw new KcovUnavailableError(
    "not-built-in",
    "Comparisons are recorded of the test's own thread where the kernel has no collectors: use --scope thread, or --kernel embedded",
  );
}

/** Help for the option. */
export const RECORDER_HELP =
  `    --recorder auto|collectors|ptrace   what follows threads and processes: auto, the default, takes the collectors of
                                  a kernel that has them, else ptrace
`;

/**
 * The recorder for `--recorder auto|collectors|ptrace`.
 *
 * @param needsPtrace an option of the command that only ptrace can follow
 * @throws {UsageError} There is no such recorder, or the option rules it out.
 * @throws {KcovUnavailableError} The machine's kernel has no collectors.
 */
export function chooseRecorder(
  asked: string,
  machine: Pick<Machine, "collectors">,
  needsPtrace?: string,
): RecorderName {
  if (asked === "ptrace") return "ptrace";
  if (asked === "auto") {
    return needsPtrace === undefined && machine.collectors ? "collectors" : "ptrace";
  }
  if (asked !== "collectors") {
    throw new UsageError(`Unknown recorder "${asked}": use auto, collectors or ptrace`);
  }
  if (needsPtrace !== undefined) {
    throw new UsageError(`${needsPtrace} needs --recorder ptrace: leave out one of them`);
  }
  if (machine.collectors) return "collectors";
  throw new KcovUnavailableError(
    "not-built-in",
    "This kernel has no collectors: use --recorder ptrace, or --kernel embedded",
  );
}
