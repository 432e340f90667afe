import { join } from "node:path";
import process from "node:process";
import { checkCalls } from "../../coverage/origin_selection.ts";
import type { KernelDefinition } from "../../build/build_kernel.ts";
import { removeOtherFaults } from "../../record/faults/fault_files.ts";
import type { CommandEnd, Machine } from "../../machines/machine.ts";
import { currentRun, readRecordFiles } from "../../record/read_run.ts";
import { lockRun, type RunLock } from "../../record/run_lock.ts";
import { settleRun } from "../../record/settle_run.ts";
import type { Run } from "../../record/test_record.ts";
import { formatCount, plural, printable } from "../../report/text_style.ts";
import { type ComparedRecord, loadRun } from "../../run/load_run.ts";
import { errorCode, fileError } from "../../sys/file_error.ts";
import { machineName } from "../../sys/runtime.ts";
import { plainFolder } from "../../sys/plain_folder.ts";
import { OUTPUT_HELP, OUTPUT_OPTIONS } from "../report_outputs.ts";
import { checkReportOptions, LOAD_OPTIONS, loadOptions, reportRun } from "../report_run.ts";
import { ORIGIN_HELP, originSelectionOf } from "../origin_options.ts";
import { GUEST_OPTIONS, guestOptions } from "./guest_options.ts";
import { chooseMachine } from "./machine_choice.ts";
import { reportCut } from "./report_cut.ts";
import {
  buildSource,
  noteTree,
  SOURCE_HELP,
  SOURCE_OPTIONS,
  treeMachine,
  treeRequest,
} from "./source_options.ts";
import { EXIT_NO_COVERAGE, type OptionValues, warn } from "../command_line.ts";

/** Options of commands that record. */
export const RECORDING_OPTIONS = {
  ...LOAD_OPTIONS,
  ...OUTPUT_OPTIONS,
  ...GUEST_OPTIONS,
  ...SOURCE_OPTIONS,
  kernel: { type: "string" },
  out: { type: "string", default: "coverage/kernel" },
  "no-follow": { type: "string", multiple: true },
  fresh: { type: "boolean" },
} as const;

/** Help for the option of {@linkcode RECORDING_OPTIONS} that says where the command runs. */
export const KERNEL_HELP =
  `    --kernel auto|host|embedded   auto, the default: the running kernel if it has KCOV, else the embedded one
    --kernel NAME                 a kernel that kernelcov kernel build --config has built
    --kernel PATH                 a kernel of your own: a bzImage, Image or vmlinux for a virtual machine, or a user-mode
                                  Linux; its file or its folder
    --kernel ssh://[USER@]HOST[:PORT][/FOLDER]   the kernel of another machine: the command runs there, in a copy of the
                                  current folder or in FOLDER, and the output comes back; files that other options name
                                  are that machine's
${SOURCE_HELP}`;

/** Help for the others. */
export const RECORDING_HELP =
  `    --out DIR                     folder of the reports and records; coverage/kernel by default
    --no-follow PROGRAM           do not record or trace a program of this name, nor what it starts; may be repeated
    --write DIR                   in the embedded kernel: a folder that the command may write to; may be repeated
    --timeout SECONDS             in the embedded kernel: time limit of the command: SIGTERM, and 5 s later SIGKILL
    --memory SIZE                 in the embedded kernel: its memory, 2G by default
    --cpus N                      processors of a virtual machine, 1 by default
    --append PARAMETER            in the embedded kernel: added to its command line; may be repeated
    --dmesg                       in the embedded kernel: show its messages as they come
    --fresh                       drop what earlier runs recorded; without it a run replaces the tests that it ran
    --vmlinux FILE                the kernel's image with debug information
    --modules DIR                 a folder with the kernel's modules; may be repeated
    --source-prefix DIR           what source paths start with; "" for paths relative to the kernel's root
${ORIGIN_HELP}${OUTPUT_HELP}`;

/** Values of {@linkcode RECORDING_OPTIONS}. */
type RecordingValues =
  & OptionValues<typeof RECORDING_OPTIONS>
  & { readonly out: string };

/** Where a command is recorded. */
export interface Recording {
  readonly machine: Machine;
  /** The folder of the records. */
  readonly runDirectory: string;
  /** Names the run. */
  readonly run: string;
}

/**
 * Has a command recorded, and reports.
 *
 * @param record runs the command
 * @param nothing what is said where it left no record
 * @param embedded a kernel in the place of the embedded one
 * @returns the exit status: the command's own, or the report's where that is 0
 */
export async function recordRun(
  values: RecordingValues,
  record: (recording: Recording) => Promise<CommandEnd>,
  nothing: string,
  embedded?: KernelDefinition,
): Promise<number> {
  const guest = guestOptions(values);
  const request = treeRequest(values, values.kernel);
  checkReportOptions(values, values.out, "of the command");
  // Embedded kernels are of this machine's architecture too.
  checkCalls(originSelectionOf(values), machineName());
  const out = outputFolder(values.out);
  const runDirectory = join(out, "run");
  using lock = lockRun(runDirectory);
  const write = [out, ...guest.write ?? []];
  const tree = request === undefined ? undefined : await buildSource(request);
  const machine = tree === undefined
    ? await chooseMachine(
      values.kernel ?? "auto",
      { ...guest, write, vmlinux: values.vmlinux },
      embedded,
    )
    : treeMachine(tree, { ...guest, write });
  if (tree !== undefined) noteTree(runDirectory, tree);
  const end = await record({ machine, runDirectory, run: lock.run });
  removeOtherFaults(runDirectory, lock.run);
  const recorded = recordedRun(lock, values.fresh === true);
  reportCut(end, recorded?.records);
  if (recorded === undefined) {
    warn(nothing);
    return end.exitStatus === 0 ? EXIT_NO_COVERAGE : end.exitStatus;
  }
  process.stdout.write("\n");
  const loaded = loadRun(recorded, loadOptions(values, machine.vmlinux));
  process.stdout.write(comparedText(loaded.compared));
  // No report of points tells of them but the pages.
  const hasPoints = loaded.coverage.tests.length > 0;
  if (loaded.compared.length > 0 && !hasPoints && values.html === undefined) return end.exitStatus;
  const reportStatus = await reportRun(loaded, out, runDirectory, values);
  return end.exitStatus === 0 ? reportStatus : end.exitStatus;
}

/** Says which tests have comparisons, and how many; empty where none has. */
function comparedText(compared: readonly ComparedRecord[]): string {
  if (compared.length === 0) return "";
  const lines = compared.map(({ name, file, comparisons: { pcs, lost }, truncated }) => {
    const where = file === "" ? name : `${file}: ${name}`;
    const flags = `${lost > 0 ? `, ${formatCount(lost)} lost` : ""}${
      truncated ? ", truncated" : ""
    }`;
    return `  ${printable(where)}: ${plural(pcs.length, "comparison")}${flags}\n`;
  });
  return `Compared (kernelcov comparisons shows what):\n${lines.join("")}\n`;
}

/** The real path of the output folder, which is made where there is none. */
export function outputFolder(path: string): string {
  try {
    // A part of its path may be a symbolic link that a test has left.
    return plainFolder(path, { make: true });
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    throw fileError("write to", path, error, "name a folder that you may write to with --out");
  }
}

/**
 * What the folder that a command has locked holds now that its own run has ended: the run, and the tests of earlier
 * runs that it did not run. `undefined` where it recorded nothing: then the folder is as it was before.
 */
export function recordedRun(
  { directory, run }: Pick<RunLock, "directory" | "run">,
  fresh: boolean,
): Run | undefined {
  const files = readRecordFiles(directory);
  if (!files.some(({ header, records }) => header?.run === run && records.length > 0)) {
    return undefined;
  }
  const settled = settleRun(directory, files, { fresh });
  for (const folder of settled.movedTo) {
    warn(`Earlier records, of another kernel or another version, are in ${folder} now`);
  }
  return currentRun(directory, settled.files);
}
