import { statSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import process from "node:process";
import type { TreeRequest } from "../../build/tree/build_tree.ts";
import type { FilePatch } from "../../coverage/patch/patch.ts";
import { type PatchAnswer, whichPatch } from "../../coverage/patch/patch_tests.ts";
import { TestLookup } from "../../coverage/questions/test_lookup.ts";
import { KcovUnavailableError } from "../../errors.ts";
import type { CommandEnd, GuestOptions, Machine } from "../../machines/machine.ts";
import { lockRun } from "../../record/run_lock.ts";
import { noteReports } from "../../record/run_reports.ts";
import type { Run } from "../../record/test_record.ts";
import { type TestReference, testReference } from "../../report/answer_json.ts";
import { testLabel } from "../../report/test_label.ts";
import { plural, printable } from "../../report/text_style.ts";
import { carryRecords, replaceRecords } from "../../run/carry_records.ts";
import { type LoadedRun, loadRun } from "../../run/load_run.ts";
import { writeLcovFiles } from "../../run/write_report.ts";
import { withTests } from "../../runners/runner_command.ts";
import { filterArguments } from "../../runners/runner_filter.ts";
import { carryIndex } from "../../symbolize/index/carry_index.ts";
import { warn } from "../command_line.ts";
import { testRecorder } from "../commands/test.ts";
import { recordedRun } from "../recording/record_run.ts";
import { reportCut } from "../recording/report_cut.ts";
import { noteTree, treeMachine } from "../recording/source_options.ts";
import { changedLines, changedLinesText } from "./changed_lines.ts";
import { FileWatcher } from "./file_watcher.ts";
import { KEYS_TEXT, type WatchKey, WatchKeys } from "./watch_keys.ts";
import { WatchedKernel } from "./watched_kernel.ts";

/** What is watched. */
export interface WatchOptions {
  readonly command: string[];
  /** The tree to build the kernel from; without it only test files are watched, on `machine`. */
  readonly request?: TreeRequest | undefined;
  readonly machine?: Machine | undefined;
  readonly guest: GuestOptions;
  /** Folder of the reports. */
  readonly out: string;
  readonly scope: "thread" | "tree";
}

/** What is to be done next. */
interface Work {
  readonly kernel: Set<string>;
  readonly tests: Set<string>;
  key?: WatchKey;
}

/** Tests whose reasons are shown. */
const MOST_SHOWN = 10;

const TEST_FILE = /(?:^|[._/])test\.[cm]?[jt]sx?$/;

/** Runs tests as the kernel's sources and the tests' files change. */
export class WatchSession {
  readonly #options: WatchOptions;
  readonly #runDirectory: string;
  #kernel: WatchedKernel | undefined;
  #machine!: Machine;
  #loaded: LoadedRun | undefined;
  #run: Run | undefined;
  #watcher!: FileWatcher;
  #runs = 0;
  #last: readonly TestReference[] | undefined;
  #work: Work = { kernel: new Set(), tests: new Set() };
  #wake: () => void = () => {};
  #keys: WatchKeys | undefined;
  #busy = false;
  #ended = false;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#runDirectory = join(options.out, "run");
  }

  /** Runs all tests, then what changes ask for, until it is told to end. */
  async watch(): Promise<void> {
    const { request, machine, guest } = this.#options;
    if (request !== undefined) {
      this.#kernel = await WatchedKernel.build(request);
      this.#machine = treeMachine(this.#kernel.kernel, guest);
    } else this.#machine = machine!;
    using watcher = new FileWatcher(
      (path) => this.#kernel?.has(path) === true || TEST_FILE.test(path),
      (paths) => this.#changed(paths),
    );
    this.#watcher = watcher;
    watcher.add(this.#kernel?.files() ?? []);
    const end = (): void => this.#end();
    process.on("SIGTERM", end).on("SIGINT", end).on("SIGHUP", end);
    try {
      await this.#runAll();
      using keys = new WatchKeys((key) => this.#press(key));
      this.#keys = keys;
      while (!this.#ended) {
        this.#say(`Waiting for changes${process.stdin.isTTY ? ` (${KEYS_TEXT})` : ""}`);
        await this.#nextWork();
      }
    } finally {
      process.off("SIGTERM", end).off("SIGINT", end).off("SIGHUP", end);
    }
  }

  #say(text: string): void {
    process.stdout.write(`${text.split("\n").map(printable).join("\n")}\n`);
  }

  #end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** Ends what runs too, as a signal does. Then the terminal is as it was before, so that Ctrl-C is another signal. */
  #quit(): void {
    this.#end();
    if (!this.#busy) return;
    this.#keys?.[Symbol.dispose]();
    process.kill(process.pid, "SIGTERM");
  }

  #changed(paths: readonly string[]): void {
    for (const path of paths) {
      if (this.#kernel?.has(path)) this.#work.kernel.add(path);
      else this.#work.tests.add(path);
    }
    this.#wake();
  }

  #press(key: WatchKey): void {
    if (key.kind === "quit") this.#quit();
    else if (key.kind === "help") this.#say(KEYS_TEXT);
    else {
      this.#work.key = key;
      this.#wake();
    }
  }

  async #nextWork(): Promise<void> {
    const hasWork = (): boolean =>
      this.#ended || this.#work.kernel.size + this.#work.tests.size > 0 ||
      this.#work.key !== undefined;
    while (!hasWork()) await new Promise<void>((resolve) => this.#wake = resolve);
    if (this.#ended) return;
    const { kernel, tests, key } = this.#work;
    this.#work = { kernel: new Set(), tests: new Set() };
    this.#busy = true;
    try {
      if (kernel.size > 0) await this.#kernelChanged([...kernel]);
      if (tests.size > 0 && !this.#ended) await this.#testsChanged([...tests]);
      if (key !== undefined && !this.#ended) await this.#asked(key);
    } catch (error) {
      if (!(error instanceof KcovUnavailableError || error instanceof TypeError)) throw error;
      warn(error.message);
    } finally {
      this.#busy = false;
    }
  }

  async #kernelChanged(paths: readonly string[]): Promise<void> {
    const kernel = this.#kernel!;
    const started = performance.now();
    const names = paths.map((path) => relative(this.#options.request!.source, path));
    this.#say(`\n${names.join(", ")} changed`);
    const rebuilt = await kernel.rebuild(paths);
    if (this.#ended) return;
    if (rebuilt.output !== "") process.stderr.write(`${rebuilt.output.trimEnd()}\n`);
    if (rebuilt.kind === "failed") {
      this.#say("The kernel was not built: the last one is still the running one");
      return;
    }
    const built = performance.now();
    const { sources, stages } = rebuilt;
    const patches = kernel.changes();
    const answer = this.#loaded === undefined ? undefined : whichPatch(
      new TestLookup(this.#loaded.coverage),
      patches,
      { side: "old", source: (file) => kernel.sourceLines(file) },
    );
    const { vmlinux } = rebuilt.kernel.folder;
    const isSame = vmlinux === kernel.kernel.folder.vmlinux;
    const picked = this.#carry(vmlinux, sources ?? "all", answer);
    kernel.adopt(rebuilt.kernel);
    this.#machine = treeMachine(rebuilt.kernel, this.#options.guest);
    this.#watcher.add(kernel.files());
    const carried = performance.now();
    if (picked !== undefined && picked.length === 0) {
      this.#say(
        patches.length === 0
          ? "The running kernel has been built from this text"
          : isSame
          ? "The kernel is the same with this change"
          : "No test runs what has changed: a runs all tests",
      );
      return;
    }
    if (answer !== undefined && picked !== undefined) this.#sayPicked(answer, picked.length);
    await this.#record(picked);
    const recorded = performance.now();
    this.#sayChangedLines(patches, answer);
    const parts = [
      ...stages === undefined
        ? [`build ${seconds(built - started)}`]
        : [`compile ${seconds(stages.compile)}`, `link ${seconds(stages.link)}`],
      `index ${seconds(carried - built)}`,
      `boot and tests ${seconds(recorded - carried)}`,
    ];
    this.#say(`${parts.join(", ")}: ${seconds(performance.now() - started)}`);
    this.#writeReports();
  }

  /**
   * Takes the records of the last kernel over to a new one, and says which tests have to run on it; `undefined` for all.
   */
  #carry(
    vmlinux: string,
    sources: readonly string[] | "all",
    answer: PatchAnswer | undefined,
  ): TestReference[] | undefined {
    const old = this.#kernel!.kernel.folder.vmlinux;
    if (old === vmlinux) return [];
    const changed = sources === "all" ? sources : new Set(sources);
    const carried = carryIndex(old, vmlinux, changed);
    const loaded = this.#loaded, run = this.#run;
    if (carried === undefined || loaded === undefined || run === undefined) return undefined;
    const { coverage } = loaded;
    if (answer === undefined) return undefined;
    const { records, incomplete } = carryRecords(run.records, carried);
    const kernel = { ...run.kernel, buildId: carried.index.buildId };
    replaceRecords(this.#runDirectory, run, records, kernel, vmlinux, this.#nextRun());
    if (answer.runAll.length > 0) return undefined;
    const needed = [...answer.tests.map(({ test }) => test), ...answer.incomplete];
    const references = needed.map((test) => testReference(coverage, test));
    for (const at of incomplete) {
      const { name, file, runner, kind = "test" } = run.records[at];
      const isPicked = references.some((other) => other.name === name && other.file === file);
      if (kind !== "test" || isPicked) continue;
      references.push(runner === undefined ? { name, file } : { name, file, runner });
    }
    return references;
  }

  async #testsChanged(paths: readonly string[]): Promise<void> {
    const files = paths.map((path) => relative(process.cwd(), path));
    this.#say(`\n${files.join(", ")} changed`);
    const command = withTests(this.#options.command, isTestArgument, () => files);
    await this.#record(undefined, command);
    this.#writeReports();
  }

  async #asked(key: WatchKey): Promise<void> {
    const coverage = this.#loaded?.coverage;
    const all = coverage?.tests.map((_, test) => testReference(coverage, test)) ?? [];
    switch (key.kind) {
      case "all":
        return await this.#runAll();
      case "again":
        await this.#record(this.#last);
        break;
      case "failed": {
        const failed = all.filter((_, test) => coverage!.tests[test].record.outcome !== "passed");
        if (failed.length === 0) return this.#say("No test has failed");
        await this.#record(failed);
        break;
      }
      case "pattern": {
        const matches = matcher(key.pattern);
        const found = all.filter(({ name, file }) => matches(`${file}: ${name}`));
        if (found.length === 0) return this.#say(`No test's name has ${key.pattern} in it`);
        await this.#record(found);
      }
    }
    this.#writeReports();
  }

  async #runAll(): Promise<void> {
    await this.#record(undefined);
    this.#writeReports();
  }

  #nextRun(): string {
    return `watch-${process.pid}-${++this.#runs}`;
  }

  /**
   * Runs tests, and shows how they ended.
   *
   * @param tests those that run; `undefined` for all of the command's
   * @param command what runs, where it is not known by tests
   */
  async #record(
    tests: readonly TestReference[] | undefined,
    command: readonly string[] | undefined = this.#commandFor(tests),
  ): Promise<void> {
    this.#last = tests;
    const directory = this.#runDirectory;
    using _lock = lockRun(directory);
    if (this.#kernel !== undefined) noteTree(directory, this.#kernel.kernel);
    const run = this.#nextRun();
    const recording = { machine: withoutInput(this.#machine), runDirectory: directory, run };
    const { scope } = this.#options;
    const end: CommandEnd = await testRecorder(
      [...command ?? this.#options.command],
      recording,
      { scope, recorder: "auto" },
    )();
    const recorded = recordedRun({ directory, run }, false);
    reportCut(end, recorded?.records);
    if (recorded === undefined) {
      this.#say("No test was recorded");
      return;
    }
    this.#run = recorded;
    this.#loaded = loadRun(recorded, { vmlinux: this.#machine.vmlinux });
    this.#watchTests();
    this.#sayOutcomes();
  }

  /** What runs these tests; `undefined` where the command cannot be told to run them alone. */
  #commandFor(tests: readonly TestReference[] | undefined): readonly string[] | undefined {
    if (tests === undefined) return undefined;
    return withTests(this.#options.command, isTestArgument, (runner) =>
      filterArguments(
        runner,
        tests.filter((test) => test.runner === undefined || test.runner === runner.name),
      ));
  }

  #watchTests(): void {
    const files = new Set(this.#run!.records.map(({ file }) => file).filter((file) => file !== ""));
    this.#watcher.add([...files].map((file) => resolve(file)));
  }

  #sayOutcomes(): void {
    const { coverage } = this.#loaded!;
    const own = coverage.tests.map(({ record }, test) => ({ record, test }))
      .filter(({ record }) => record.earlier !== true);
    const failed = own.filter(({ record }) => record.outcome !== "passed");
    for (const { record, test } of failed) {
      this.#say(`  ${record.outcome}  ${testLabel(coverage, test)}`);
    }
    const passed = own.length - failed.length;
    this.#say(
      `${plural(own.length, "test")}: ${passed} passed${
        failed.length > 0 ? `, ${failed.length} failed` : ""
      }`,
    );
  }

  #sayPicked(answer: PatchAnswer, count: number): void {
    const { coverage } = this.#loaded!;
    this.#say(`${plural(count, "test")} of ${coverage.tests.length} can be concerned:`);
    for (const { test, reasons: [reason] } of answer.tests.slice(0, MOST_SHOWN)) {
      this.#say(`  ${testLabel(coverage, test)} (${reason.closeness}: ${basename(reason.path)})`);
    }
    if (count > MOST_SHOWN) this.#say(`  and ${count - MOST_SHOWN} more`);
  }

  #sayChangedLines(patches: readonly FilePatch[], answer: PatchAnswer | undefined): void {
    if (this.#loaded === undefined) return;
    for (const lines of changedLines(this.#loaded.coverage, patches)) {
      this.#say(changedLinesText(lines));
    }
    const uncovered = answer?.hunks.filter(({ state }) => state === "uncovered") ?? [];
    for (const { path, line } of uncovered) this.#say(`${path}:${line}: no test ran this before`);
  }

  #writeReports(): void {
    if (this.#loaded === undefined) return;
    const { out } = this.#options;
    const files = writeLcovFiles(this.#loaded, out);
    noteReports(this.#runDirectory, files.map(({ path }) => basename(path)));
  }
}

/** Whether an argument of a test command names tests: the runner is told others in its place. */
function isTestArgument(argument: string): boolean {
  const stat = statSync(argument, { throwIfNoEntry: false });
  return stat !== undefined && (stat.isDirectory() || /\.[cm]?[jt]sx?$/.test(argument)) ||
    /[*?]/.test(argument);
}

/** The keyboard is the session's: its commands get no input. */
function withoutInput(machine: Machine): Machine {
  return new Proxy(machine, {
    get(target, name) {
      if (name === "run") {
        return (command: Parameters<Machine["run"]>[0]) => target.run({ ...command, stdin: null });
      }
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

function matcher(pattern: string): (text: string) => boolean {
  try {
    const expression = new RegExp(pattern, "i");
    return (text) => expression.test(text);
  } catch {
    return (text) => text.includes(pattern);
  }
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
