import { LiveCoverage } from "../hook/live_coverage.ts";
import type { Recorder } from "../hook/recorders/recorder.ts";
import { currentFile } from "../hook/test_name.ts";

const ROUNDS = 2;

/**
 * Records what the runner itself runs in every empty test, such as its event loop: what all of several have in common is
 * kept. Does nothing where no such record is kept apart, or this process has one.
 */
export async function recordBaseline(recorder: Recorder): Promise<void> {
  if (!recorder.takesBaseline()) return;
  const identity = { name: "(empty tests)", file: currentFile() };
  for (let round = 0; round < ROUNDS; round++) {
    const coverage = new LiveCoverage(recorder, identity, { kind: "baseline" });
    coverage.begin();
    await Promise.resolve();
    await new Promise((resolve) => setTimeout(resolve, 0));
    coverage.end("passed");
  }
  recorder.keepBaseline?.();
}
