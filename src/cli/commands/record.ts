import { MAX_WORDS } from "../../kcov/abi.ts";
import {
  KERNEL_HELP,
  RECORDING_HELP,
  RECORDING_OPTIONS,
  recordRun,
} from "../recording/record_run.ts";
import { remoteMachine, runRemotely } from "../recording/remote_run.ts";
import { chooseRecorder, RECORDER_HELP } from "../recording/recorder_choice.ts";
import { runSupervised } from "../recording/run_supervised.ts";
import { type Command, commandToRun, parseCommandLine, UsageError } from "../command_line.ts";

/** `kernelcov record -- COMMAND…`: the exit status is the command's. */
export const recordCommand: Command = {
  help: `kernelcov record [OPTIONS] -- COMMAND…
    Runs a command, in any language, and records what it makes the kernel run, its threads and child processes
    included, as one record; then reports.
${KERNEL_HELP}${RECORDER_HELP}    --mode auto|unique|trace      unique: each point once, where the kernel can; trace: how often each point ran, and in
                                  which order the command's first thread ran them, for kernelcov trace
    --words N                     size of the collector, or of each thread's buffer, in words of 8 bytes; by default enough,
                                  and more for busy threads
    --steady                      leave out points that only some repeats of a test hit
${RECORDING_HELP}`,
  run,
};

async function run(args: string[]): Promise<number> {
  const line = parseCommandLine(args, {
    ...RECORDING_OPTIONS,
    mode: { type: "string", default: "auto" },
    recorder: { type: "string", default: "auto" },
    words: { type: "string" },
  });
  const { values } = line;
  const command = commandToRun(line, "command to record");
  const { mode } = values;
  if (mode !== "auto" && mode !== "unique" && mode !== "trace") {
    throw new UsageError(`Unknown mode "${mode}": use auto, unique or trace`);
  }
  const words = values.words === undefined ? undefined : bufferWords(values.words);
  const noFollow = values["no-follow"];
  const remote = remoteMachine(values.kernel);
  if (remote !== undefined) {
    return await runRemotely(remote, { name: "record", values, command, out: values.out });
  }
  const needsPtrace = mode === "trace"
    ? "--mode trace"
    : noFollow === undefined
    ? undefined
    : "--no-follow";
  return await recordRun(
    values,
    async ({ machine, runDirectory, run }) => {
      const collect = chooseRecorder(values.recorder, machine, needsPtrace) === "collectors";
      return await runSupervised(
        { command, runDirectory, run, mode, record: true, collect, words, noFollow },
        { machine },
      );
    },
    "Nothing was recorded: the supervisor was ended",
  );
}

/** The buffer is mapped, so it has whole pages; pages of arm64 have up to 8,192 words. */
function bufferWords(text: string): number {
  const words = Number(text);
  if (words % 512 === 0 && words > 0 && words <= MAX_WORDS) return words;
  throw new UsageError(`--words ${text} is not a multiple of 512 above 0`);
}
