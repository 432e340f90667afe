import { KcovUnavailableError } from "../../errors.ts";
import { atEndOfFile } from "./end_of_file.ts";
import type { TestIdentity } from "../kernel_coverage.ts";
import { LiveCoverage } from "./live_coverage.ts";
import { missingCoverage } from "../missing_coverage.ts";
import { RecordingThread } from "./recording_thread.ts";
import type { TestCoverage } from "../test_coverage.ts";

/** Module state is per thread: each Worker and each file of `deno test` loads its own modules. */
let thread: RecordingThread | undefined;

function thisThread(): RecordingThread {
  thread ??= new RecordingThread();
  return thread;
}

/** Opens the thread's device before the first test. A failure is reported when a test runs. */
export function prepareThreadCoverage(): void {
  const recording = thisThread();
  if (recording.settings.mode === "off") return;
  if (recording.unavailable() === undefined) atEndOfFile(recording, false);
}

/**
 * Begins to record the calling thread by itself; nothing runs between the reset of the buffer and the return. Where
 * coverage is unavailable, returns a {@linkcode MissingCoverage}.
 *
 * @param identity Names the test; called before recording begins.
 * @throws {KcovUnavailableError} Where coverage is unavailable and the environment requires it.
 */
export function startThreadCoverage(identity: () => TestIdentity): TestCoverage {
  const recording = thisThread();
  function missing(why: KcovUnavailableError): TestCoverage {
    return missingCoverage(identity().name, why, recording.settings.mode);
  }
  const why = recording.unavailable();
  if (why !== undefined) return missing(why);
  const coverage = recording.pause(() => {
    atEndOfFile(recording, true);
    return new LiveCoverage(recording, identity());
  });
  try {
    coverage.begin();
  } catch (error) {
    if (!(error instanceof KcovUnavailableError)) throw error;
    return missing(error);
  }
  return coverage;
}
