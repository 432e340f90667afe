import process from "node:process";
import type { RunCoverage } from "../../coverage/run_coverage.ts";
import { machineOf } from "../../coverage/questions/test_origins.ts";
import type { RepeatGroup } from "../../coverage/test_repeats.ts";
import { DEFAULT_RUN_FOLDER } from "../../record/run_folder.ts";
import { testReference } from "../../report/answer_json.ts";
import { testLabel } from "../../report/test_label.ts";
import { formatCount, plural } from "../../report/text_style.ts";
import { foldedStacks } from "../../report/trace/folded_stacks.ts";
import { traceEvents } from "../../report/trace/trace_events.ts";
import { traceJson } from "../../report/trace/trace_json.ts";
import { traceText } from "../../report/trace/trace_text.ts";
import { entryText, type TraceView } from "../../report/trace/trace_view.ts";
import { type LoadedRun, loadRun, type TestTrace } from "../../run/load_run.ts";
import { readTrace } from "../../run/read_trace.ts";
import { type Command, parseCommandLine, UsageError } from "../command_line.ts";
import { oneTest, outputStyle, printJson } from "../question.ts";

const FORMATS = ["text", "perfetto", "folded", "json"] as const;
type Format = typeof FORMATS[number];

/** `kernelcov trace TEST`. */
export const traceCommand: Command = {
  help: `kernelcov trace TEST
    What a test's thread ran in the kernel, in order: the calls under each system call, those that are alike and follow
    each other as one ("×14"), with the functions that are inlined in each. Record it with --mode trace of kernelcov test or record.
    A trace has blocks of code; which function called which is read from the image, and marked where that is not certain.
    TEST            its full name, its file and name, or a part of the name that no other test has
    --call NAME     only this system call, such as pipe2, or only page faults: "page fault"; may be repeated
    --depth N       no calls below that many others
    --inlined       name the inlined functions of headers too
    --format text|perfetto|folded|json   perfetto: Chrome trace events, for ui.perfetto.dev; their time axis is the order
                    of points, as KCOV has no times. folded: stacks for flame graphs, with the number of points
    --json          the same as --format json
    --run DIR       the run's folder; ${DEFAULT_RUN_FOLDER} by default
    --vmlinux FILE  the kernel's image with debug information
    --modules DIR   a folder with the kernel's modules; may be repeated
`,
  run,
};

async function run(args: string[]): Promise<number> {
  const { values, operands } = parseCommandLine(args, {
    run: { type: "string" },
    vmlinux: { type: "string" },
    modules: { type: "string", multiple: true },
    call: { type: "string", multiple: true },
    depth: { type: "string" },
    inlined: { type: "boolean" },
    format: { type: "string" },
    json: { type: "boolean" },
  });
  if (operands.length !== 1) throw new UsageError("Name one test");
  const format = formatOf(values.format, values.json === true);
  const depth = values.depth === undefined ? Infinity : depthOf(values.depth);
  const { vmlinux, modules, inlined = false } = values;
  const loaded = loadRun(values.run ?? DEFAULT_RUN_FOLDER, { vmlinux, modules });
  const { coverage } = loaded;
  const [test, recorded] = tracedTest(loaded, oneTest(coverage, operands[0]));
  const trace = readTrace(loaded, recorded);
  const view = onlyCalls({
    label: testLabel(coverage, test),
    machine: machineOf(coverage),
    trace,
    roots: trace.roots,
    notes: notesOf(coverage, test, recorded, trace.unresolved),
  }, values.call ?? []);
  if (format === "json") {
    printJson({ ...testReference(coverage, test), ...traceJson(view) as object });
  } else if (format === "folded") await print(foldedStacks(view));
  else if (format === "perfetto") { for (const piece of traceEvents(view)) await print(piece); }
  else await print(traceText(view, { depth, inlined, style: outputStyle() }));
  return 0;
}

function formatOf(text: string | undefined, json: boolean): Format {
  if (json && text !== undefined && text !== "json") {
    throw new UsageError(`--json and --format ${text} are two formats: leave out one of them`);
  }
  const format = FORMATS.find((known) => known === (text ?? (json ? "json" : "text")));
  if (format !== undefined) return format;
  throw new UsageError(`Unknown --format "${text}": use ${FORMATS.join(", ")}`);
}

function depthOf(text: string): number {
  const depth = Number(text);
  if (Number.isInteger(depth) && depth > 0) return depth;
  throw new UsageError(`--depth ${text} is not a whole number above 0`);
}

/** The first repeat of a test whose record has an order. */
function tracedTest({ coverage, traceOf }: LoadedRun, { tests }: RepeatGroup): [number, TestTrace] {
  for (const test of tests) {
    const trace = traceOf(test);
    if (trace !== undefined) return [test, trace];
  }
  throw new UsageError(
    `The record of ${
      testLabel(coverage, tests[0])
    } has no order: use --mode trace of kernelcov test or record`,
  );
}

/** What a trace lacks. */
function notesOf(
  coverage: RunCoverage,
  test: number,
  { order: { cut, full } }: TestTrace,
  unresolved: number,
): string[] {
  const { shared, callingThreadOnly } = coverage.tests[test].record;
  return [
    ...(cut > 0 ? [`cut: ${formatCount(cut)} points ran after these`] : []),
    ...(full
      ? [
        "truncated: the buffer was full, and points are missing: set KERNELCOV_WORDS, or --words of record",
      ]
      : []),
    ...(shared ? ["shared: another test was open on the thread, and some points are its"] : []),
    ...(callingThreadOnly ? ["thread only: what the test did on other threads is missing"] : []),
    ...(unresolved > 0 ? [`${plural(unresolved, "PC")} left out that no coverage point has`] : []),
  ];
}

/** Only the calls of these names. */
function onlyCalls(view: TraceView, names: readonly string[]): TraceView {
  if (names.length === 0) return view;
  const bare = (root: TraceView["roots"][number]): string =>
    entryText(view, root).replace(/\(2\)$/, "");
  const roots = view.roots.filter((root) => names.includes(bare(root)));
  if (roots.length > 0) return { ...view, roots };
  const known = [...new Set(view.roots.map(bare))].sort();
  throw new UsageError(
    `The trace has no call ${names.map((name) => `"${name}"`).join(" or ")}: it has ${
      known.join(", ")
    }`,
  );
}

/** Writes to standard output at the reader's pace. What cannot be written is told elsewhere. */
function print(text: string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(text, () => resolve()));
}
