import process from "node:process";
import { runFolderSize } from "../../record/run_folder.ts";
import { requireSource } from "../../sys/node_builtins.ts";
import { environmentVariable, mainModule, runtimeName } from "../../sys/runtime.ts";
import type { RecordingThread } from "./recording_thread.ts";
import { say } from "../../record/say_once.ts";

/** The parts of `bun:test` used here. */
interface BunTest {
  afterAll(hook: () => Promise<void>, timeoutMs: number): void;
}

/** The first report of a kernel reads all its debug information: more than a runner's five seconds on a slow machine. */
const REPORT_TIMEOUT_MS = 600_000;

/** The file whose end will be noticed; files of `bun test` share their modules' state. */
let noticed: string | undefined;

/**
 * Arranges that the thread's device closes and the report is written when the tests of this file end. Call it where
 * tests are declared, and again inside each: it does nothing where the end will be noticed already.
 *
 * Deno ends each file with an `unload` event, also after failures, whoever asked for it and when. `bun:test` has
 * `afterAll`, which belongs to the file while tests are declared, but inside a test to that test; there the end of the
 * process is the better one, except in workers of `bun test --parallel`, which end without that event.
 */
export function atEndOfFile(thread: RecordingThread, insideTest: boolean): void {
  const file = mainModule();
  if (noticed === file) return;
  noticed = file;
  if (runtimeName() === "deno") {
    addEventListener("unload", () => finish(thread));
    return;
  }
  const isWorker = environmentVariable("BUN_TEST_WORKER_ID") !== undefined;
  if (insideTest && !isWorker) {
    process.on("exit", () => finish(thread));
    return;
  }
  try {
    const { afterAll } = process.getBuiltinModule("bun:test") as unknown as BunTest;
    // Asynchronous: inside a test, bun 1.4.5 waits in vain for a synchronous hook to call "done".
    afterAll(() => Promise.resolve(finish(thread)), REPORT_TIMEOUT_MS);
  } catch {
    // Not under the test runner: a program, whose records end with it.
    process.on("exit", () => finish(thread));
  }
}

function finish(thread: RecordingThread): void {
  noticed = undefined;
  const { underCommand, runDirectory } = thread.settings;
  const report = thread.hasRecords && !underCommand;
  try {
    thread.close();
    if (report) reportUntilStill(runDirectory);
  } catch (error) {
    say(`no report: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Files may end at once on several threads: whoever writes last must have read all records. */
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
