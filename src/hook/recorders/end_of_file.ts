import { runFolderSize } from "../../record/run_folder.ts";
import { say } from "../../record/say_once.ts";
import { requireSource } from "../../sys/node_builtins.ts";
import { mainModule } from "../../sys/runtime.ts";
import type { CoverageSettings } from "../coverage_settings.ts";
import { withOwnBuiltins } from "../own_builtins.ts";
import { runnerBehaviour } from "../runner_behaviour.ts";

/** What ends with the tests of a file. */
interface FileRecorder {
  /** Whether records were written that no report holds yet. */
  readonly hasRecords: boolean;
  close(): void;
}

/** The file whose end will be noticed; files of `bun test` share their modules' state. */
let noticed: string | undefined;

/**
 * Arranges that the recorder closes and the report is written when the tests of this file end. Call it where
 * tests are declared, and again inside each: it does nothing where the end will be noticed already.
 */
export function atEndOfFile(
  recorder: FileRecorder,
  settings: CoverageSettings,
  insideTest: boolean,
): void {
  const file = mainModule();
  if (noticed === file) return;
  noticed = file;
  runnerBehaviour.atEndOfFile(
    () => withOwnBuiltins(() => finish(recorder, settings)),
    insideTest,
  );
}

function finish(recorder: FileRecorder, { underCommand, runDirectory }: CoverageSettings): void {
  noticed = undefined;
  const report = recorder.hasRecords && !underCommand;
  try {
    recorder.close();
    if (report) reportUntilStill(runDirectory);
  } catch (error) {
    say(`no report: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Files may end on several threads at once: the last to write must have read all records. */
function reportUntilStill(runDirectory: string): void {
  // Not an import: reports are not needed before this, and an unload event cannot wait for one.
  const { writeRunReport } = requireSource(import.meta.url, "run/write_report") as {
    writeRunReport(runDirectory: string): void;
  };
  let size = -1;
  for (let now = runFolderSize(runDirectory); now !== size; now = runFolderSize(runDirectory)) {
    size = now;
    writeRunReport(runDirectory);
  }
}
