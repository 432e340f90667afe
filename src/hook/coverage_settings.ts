import { resolve } from "node:path";
import { DEFAULT_RUN_FOLDER } from "../record/run_folder.ts";
import { environmentVariable } from "../sys/runtime.ts";

/** What the environment asks of the hook. */
export interface CoverageSettings {
  /**
   * `auto`: record if possible, else say once why not. `require`: unavailable coverage is an error.
   * `off`: do nothing, silently.
   */
  readonly mode: "auto" | "require" | "off";
  /** Folder of the records. */
  readonly runDirectory: string;
  /** Whether a command started the tests and will report them: the hook then writes records only. */
  readonly underCommand: boolean;
  /** What the records are of together: the command's run; `undefined` for this invocation's own. */
  readonly run?: string | undefined;
  /** Size of a thread's buffer in words; `undefined` for the default. */
  readonly words: number | undefined;
}

/** Reads `KERNELCOV`, `KERNELCOV_RUN`, `KERNELCOV_RUN_ID` and `KERNELCOV_WORDS`. */
export function coverageSettings(): CoverageSettings {
  const mode = environmentVariable("KERNELCOV");
  const run = environmentVariable("KERNELCOV_RUN");
  const words = environmentVariable("KERNELCOV_WORDS");
  const underCommand = run !== undefined && run !== "";
  return {
    mode: mode === "require" || mode === "off" ? mode : "auto",
    runDirectory: resolve(underCommand ? run : DEFAULT_RUN_FOLDER),
    underCommand,
    run: underCommand ? environmentVariable("KERNELCOV_RUN_ID") : undefined,
    words: words === undefined || words === "" ? undefined : Number(words),
  };
}
