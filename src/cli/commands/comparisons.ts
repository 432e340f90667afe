import process from "node:process";
import { isComparedAt } from "../../coverage/comparisons/compared_places.ts";
import { machineOf } from "../../coverage/questions/test_origins.ts";
import { KCOV_CALL, KCOV_CALL_MASK } from "../../kcov/origin.ts";
import { systemCallName } from "../../kcov/system_calls.ts";
import { DEFAULT_RUN_FOLDER } from "../../record/run_folder.ts";
import { comparisonsJson } from "../../report/comparisons/comparisons_json.ts";
import { comparisonsText } from "../../report/comparisons/comparisons_text.ts";
import { plural } from "../../report/text_style.ts";
import { comparedTests } from "../../run/compared_tests.ts";
import { type ComparedRecord, loadRun } from "../../run/load_run.ts";
import { ORIGIN_HELP, ORIGIN_OPTIONS, originSelectionOf } from "../origin_options.ts";
import { type Command, parseCommandLine, UsageError } from "../command_line.ts";
import { outputStyle, printJson } from "../question.ts";

/** `kernelcov comparisons [TEST]`. */
export const comparisonsCommand: Command = {
  help: `kernelcov comparisons [TEST] [--at PLACE]
    What the kernel compared in a test, or in all: by line the operands, how often they were equal, and which never were.
    Record it with kernelcov test --mode cmp, or withKernelCoverage(body, { mode: "cmp" }).
    TEST            its full name, its file and name, or a part of names: tests that have it are taken together
    --at PLACE      only these: FILE:LINE, FILE or FUNCTION, such as fs/pipe.c:441
    --never         only those whose operands were never equal
${ORIGIN_HELP}    --json          one object: each comparison with its pairs, and for each system call what its values were compared
                    with ("hints", for fuzzers)
    --run DIR       the run's folder; ${DEFAULT_RUN_FOLDER} by default
    --vmlinux FILE  the kernel's image with debug information
`,
  run,
};

function run(args: string[]): number {
  const { values, operands } = parseCommandLine(args, {
    run: { type: "string" },
    vmlinux: { type: "string" },
    at: { type: "string" },
    never: { type: "boolean" },
    ...ORIGIN_OPTIONS,
    json: { type: "boolean" },
  });
  if (operands.length > 1) throw new UsageError("Name one test, or none for all");
  const { vmlinux, at, never = false } = values;
  const loaded = loadRun(values.run ?? DEFAULT_RUN_FOLDER, { vmlinux });
  const records = comparedRecords(loaded.compared, operands[0]);
  const selection = originSelectionOf(values);
  const { places: all, lost, truncated, leftOut } = comparedTests(loaded, records, selection);
  const isAsked = at === undefined ? () => true : isComparedAt(at);
  const places = all.filter((place) => isAsked(place) && (!never || place.equal === 0));
  if (at !== undefined && places.length === 0) {
    throw new UsageError(
      `Nothing was compared at ${at}${never ? " that was never equal" : ""}: ask for a line that ` +
        "kernelcov comparisons lists",
    );
  }
  const machine = machineOf(loaded.coverage);
  const label = records.length === 1
    ? `${records[0].file === "" ? "" : `${records[0].file}: `}${records[0].name}`
    : plural(records.length, "test");
  const callOf = (origin: number): string | undefined => {
    const call = origin & KCOV_CALL_MASK;
    return call === KCOV_CALL.none ? undefined : systemCallName(machine, call);
  };
  const answer = {
    label,
    places,
    lost,
    truncated,
    leftOut: at === undefined ? leftOut : 0,
    callOf,
  };
  if (values.json) {
    const tests = records.map(({ name, file, runner }) => ({ name, file, runner }));
    printJson({ tests, ...comparisonsJson(answer) });
  } else process.stdout.write(comparisonsText(answer, outputStyle()));
  return 0;
}

/** The records of the tests that `text` means; all where there is none. */
function comparedRecords(
  all: readonly ComparedRecord[],
  text: string | undefined,
): readonly ComparedRecord[] {
  if (all.length === 0) {
    throw new UsageError(
      "No comparisons were recorded in this run: record them with kernelcov test --mode cmp",
    );
  }
  if (text === undefined) return all;
  const exact = all.filter(({ name, file }) => name === text || `${file}: ${name}` === text);
  if (exact.length > 0) return exact;
  const found = all.filter(({ name }) => name.includes(text));
  if (found.length > 0) return found;
  throw new UsageError(
    `No test with comparisons is named "${text}": ${
      all.slice(0, 10).map(({ name }) => `\n  ${name}`).join("")
    }`,
  );
}
