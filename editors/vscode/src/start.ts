import { basename } from "node:path";
import type * as vscode from "vscode";
import { CoverageView } from "./coverage_view.ts";
import { loadReport, runKernelcov } from "./kernelcov.ts";
import { keyOf, type ReportedTest, type RunReport } from "./run_report.ts";
import { canRun, commandsFor } from "./run_tests.ts";
import { readSettings } from "./settings.ts";
import { TestItems } from "./test_items.ts";

/** Starts the extension in an editor. */
export function start(
  api: typeof vscode,
  context: Pick<vscode.ExtensionContext, "subscriptions">,
): Extension {
  return new Extension(api, context);
}

/** The extension: a test controller, and commands on the sources of the kernel. */
export class Extension {
  readonly #controller: vscode.TestController;
  readonly #profile: vscode.TestRunProfile;
  readonly #items: TestItems;
  readonly #view: CoverageView;
  #report: RunReport | undefined;
  /** What each run of the editor's shows: a report, or one test of it. */
  readonly #shown = new WeakMap<
    vscode.TestRun,
    { readonly report: RunReport; readonly only?: ReportedTest }
  >();

  constructor(
    private readonly api: typeof vscode,
    { subscriptions }: Pick<vscode.ExtensionContext, "subscriptions">,
  ) {
    this.#controller = api.tests.createTestController("kernelcov", "Kernel coverage");
    this.#items = new TestItems(api, this.#controller);
    this.#view = new CoverageView(api, this.#items);
    this.#profile = this.#controller.createRunProfile(
      "Kernel coverage",
      api.TestRunProfileKind.Coverage,
      (request, token) =>
        this.#told(() =>
          this.runTests(this.#items.testsBelow(request.include?.slice()), request, token)
        ),
      true,
    );
    this.#profile.loadDetailedCoverage = (run, file) => {
      const shown = this.#shown.get(run);
      return Promise.resolve(
        shown === undefined ? [] : this.#view.details(shown.report, file, shown.only),
      );
    };
    this.#profile.loadDetailedCoverageForTest = (run, file, item) => {
      const shown = this.#shown.get(run);
      const test = this.#items.testOf(item);
      return Promise.resolve(
        shown === undefined || test === undefined
          ? []
          : this.#view.detailsOf(shown.report, file, test),
      );
    };
    const commands = {
      openRun: () => this.chooseRun(),
      testsOfLine: (at?: LineOfGutter) => this.testsOfLine(at),
      showTest: () => this.chooseTest(),
      runSelection: () => this.runSelection(),
    };
    subscriptions.push(
      this.#controller,
      this.#profile,
      ...Object.entries(commands).map(([name, run]) =>
        api.commands.registerCommand(
          `kernelcov.${name}`,
          (argument?: LineOfGutter) => this.#told(() => run(argument)),
        )
      ),
    );
  }

  /** Shows the coverage of a run, its folder that of the settings by default. */
  async openRun(folder?: string): Promise<void> {
    const settings = readSettings(this.api);
    const report = await loadReport(settings, folder);
    this.#report = report;
    this.#items.replace(report.tests, settings.testFolder);
    this.#show(report, undefined, basename(folder ?? settings.run));
  }

  /** Asks for a run's folder and shows it. */
  async chooseRun(): Promise<void> {
    const chosen = await this.api.window.showOpenDialog({
      canSelectFolders: true,
      canSelectFiles: false,
      openLabel: "Show coverage",
      title: "The folder with a run's reports",
    });
    if (chosen !== undefined && chosen.length > 0) await this.openRun(chosen[0]!.fsPath);
  }

  /** Lists the tests that run a line, that of the cursor by default; shows the lines of the one that is chosen. */
  async testsOfLine(at?: LineOfGutter): Promise<void> {
    const place = this.#place(at);
    const report = await this.#loaded();
    await this.#chooseFrom(
      report.testsOf(place.path, place.first, place.last),
      `Tests that run ${basename(place.path)}:${place.first}`,
    );
  }

  /** Lists all tests; shows the lines of the one that is chosen. */
  async chooseTest(): Promise<void> {
    await this.#chooseFrom((await this.#loaded()).tests, "Show the lines of one test");
  }

  /** Runs the tests that run one of the selected lines. */
  async runSelection(): Promise<void> {
    const { path, first, last } = this.#place();
    const tests = (await this.#loaded()).testsOf(path, first, last);
    if (tests.length === 0) {
      await this.api.window.showInformationMessage(
        `No test runs ${basename(path)}:${first}-${last}`,
      );
      return;
    }
    await this.runTests(tests);
  }

  /** Runs tests with kernelcov, and shows the run's coverage with theirs in place of the old. */
  async runTests(
    tests: readonly ReportedTest[],
    request: vscode.TestRunRequest = new this.api.TestRunRequest(),
    token?: vscode.CancellationToken,
  ): Promise<void> {
    const settings = readSettings(this.api);
    const run = this.#controller.createTestRun(request, "kernelcov");
    try {
      const known = tests.filter(canRun);
      const others = tests.length - known.length;
      if (others > 0) {
        run.appendOutput(
          `${others === 1 ? "1 test is" : `${others} tests are`} left out: ${
            others === 1 ? "its record does" : "their records do"
          } not name ${others === 1 ? "its" : "their"} runner\r\n`,
        );
      }
      for (const item of known.map((test) => this.#items.of(test))) {
        if (item !== undefined) run.started(item);
      }
      for (const args of commandsFor(settings, known)) {
        await runKernelcov(
          settings,
          args,
          (text) => run.appendOutput(text.replaceAll("\n", "\r\n")),
          token ?? run.token,
        );
      }
      const report = await loadReport(settings);
      this.#report = report;
      this.#items.replace(report.tests, settings.testFolder);
      this.#tellOutcomes(run, report, known);
      this.#shown.set(run, { report });
      this.#view.show(run, report);
    } finally {
      run.end();
    }
  }

  #tellOutcomes(run: vscode.TestRun, report: RunReport, tests: readonly ReportedTest[]): void {
    const wanted = new Set(tests.map(keyOf));
    for (const test of report.tests) {
      const item = this.#items.of(test);
      if (item === undefined || !wanted.has(keyOf(test))) continue;
      if (test.outcome === "passed") run.passed(item, test.durationMs);
      else {run.failed(
          item,
          new this.api.TestMessage(`The test is ${test.outcome}: its output is the run's`),
          test.durationMs,
        );}
    }
  }

  async #chooseFrom(tests: readonly ReportedTest[], title: string): Promise<void> {
    if (tests.length === 0) {
      await this.api.window.showInformationMessage(`${title}: none`);
      return;
    }
    const picks = tests.map((test) => ({
      label: test.name,
      description: test.runner,
      detail: test.file,
      test,
    }));
    const chosen = await this.api.window.showQuickPick(picks, { title, matchOnDetail: true });
    if (chosen !== undefined) this.#show(await this.#loaded(), chosen.test, chosen.test.name);
  }

  #show(report: RunReport, only: ReportedTest | undefined, name: string): void {
    const run = this.#controller.createTestRun(
      new this.api.TestRunRequest(undefined, undefined, this.#profile),
      name,
      false,
    );
    this.#shown.set(run, only === undefined ? { report } : { report, only });
    this.#view.show(run, report, only);
    run.end();
  }

  async #loaded(): Promise<RunReport> {
    if (this.#report === undefined) await this.openRun();
    return this.#report!;
  }

  #place(at?: LineOfGutter): { path: string; first: number; last: number } {
    if (at?.uri !== undefined) {
      return { path: at.uri.fsPath, first: at.lineNumber, last: at.lineNumber };
    }
    const editor = this.api.window.activeTextEditor;
    if (editor === undefined) {
      throw new TypeError("No file is open: open a source file of the kernel");
    }
    const { start, end } = editor.selection;
    return { path: editor.document.uri.fsPath, first: start.line + 1, last: end.line + 1 };
  }

  /** What goes wrong is a message in the editor. */
  async #told(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      await this.api.window.showErrorMessage(
        error instanceof Error ? error.message : String(error),
      );
    }
  }
}

/** What the menu of a line number gives a command. */
interface LineOfGutter {
  readonly uri?: vscode.Uri;
  /** From 1. */
  readonly lineNumber: number;
}
