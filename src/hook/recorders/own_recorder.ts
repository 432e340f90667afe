import { COLLECTORS, RECORDER_VARIABLE } from "../../kcov/recorder.ts";
import { tryReadText } from "../../sys/files.ts";
import {
  environmentVariable,
  isWorkerThread,
  processId,
  runtimeName,
  setEnvironmentVariable,
} from "../../sys/runtime.ts";
import { CollectorRecorder } from "./collector_recorder.ts";
import type { Recorder } from "./recorder.ts";
import { ThreadRecorder } from "./thread_recorder.ts";

/**
 * What records the calling thread without a supervisor: collectors where the command says so, else the thread's own
 * device. A Worker, and a runner that a test of another has started, are in the record of that test; what they record
 * themselves is of their own threads.
 */
export function ownRecorder(): Recorder {
  const [recorder, owner] = (environmentVariable(RECORDER_VARIABLE) ?? "").split(" ");
  if (recorder !== COLLECTORS || isWorkerThread()) return new ThreadRecorder();
  const isFirst = owner === undefined;
  if (isFirst) setEnvironmentVariable(RECORDER_VARIABLE, `${COLLECTORS} ${processId()}`);
  else if (Number(owner) !== processId()) return new ThreadRecorder();
  return new CollectorRecorder({ threadsShared: runsFilesAtOnce(), baseline: isFirst });
}

/** Whether Deno runs several files at once, each on a thread of this process. */
function runsFilesAtOnce(): boolean {
  if (runtimeName() !== "deno") return false;
  const line = tryReadText("/proc/self/cmdline");
  if (line === undefined) return true; // not permitted to look
  const args = line.split("\0");
  const end = args.indexOf("--");
  return args.slice(0, end < 0 ? args.length : end).includes("--parallel");
}
