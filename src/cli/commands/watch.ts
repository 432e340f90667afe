import { GUEST_OPTIONS, guestOptions } from "../recording/guest_options.ts";
import { chooseMachine } from "../recording/machine_choice.ts";
import { KERNEL_HELP, outputFolder } from "../recording/record_run.ts";
import { SOURCE_OPTIONS, treeRequest } from "../recording/source_options.ts";
import { WatchSession } from "../watch/watch_session.ts";
import { type Command, commandToRun, parseCommandLine, UsageError } from "../command_line.ts";

/** `kernelcov watch [--source DIR] -- COMMAND…`. */
export const watchCommand: Command = {
  help: `kernelcov watch [--source DIR] [OPTIONS] -- COMMAND…
    Runs a test command, then waits. When a file of the kernel's sources is saved, the kernel is built with it, and the
    tests that ran the changed lines or functions run on it; their records replace the last ones. A saved test file runs
    by itself. A compile error is shown, and the next change waited for.
    Keys: a all tests, f failed ones, p by name, Enter the last ones again, q quit.
${KERNEL_HELP}    --scope thread|tree           as for test
    --out DIR                     folder of the reports and records; coverage/kernel by default
    --write DIR, --timeout SECONDS, --memory SIZE, --cpus N, --append PARAMETER, --dmesg   as for test
`,
  run,
};

async function run(args: string[]): Promise<number> {
  const line = parseCommandLine(args, {
    ...GUEST_OPTIONS,
    ...SOURCE_OPTIONS,
    kernel: { type: "string" },
    scope: { type: "string", default: "tree" },
    out: { type: "string", default: "coverage/kernel" },
  });
  const { values } = line;
  const command = commandToRun(line, "test command");
  const { scope } = values;
  if (scope !== "thread" && scope !== "tree") {
    throw new UsageError(`Unknown scope "${scope}": use thread or tree`);
  }
  const request = treeRequest(values, values.kernel);
  const options = guestOptions(values);
  const out = outputFolder(values.out);
  const guest = { ...options, write: [out, ...options.write ?? []] };
  const machine = request === undefined
    ? await chooseMachine(values.kernel ?? "auto", guest)
    : undefined;
  await new WatchSession({ command, request, machine, guest, out, scope }).watch();
  return 0;
}
