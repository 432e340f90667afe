import { isAbsolute, join } from "node:path";
import type * as vscode from "vscode";
import { keyOf, type ReportedTest } from "./run_report.ts";

/** The tests of runs as items of the editor's test view, by their files. */
export class TestItems {
  readonly #tests = new WeakMap<vscode.TestItem, ReportedTest>();
  readonly #items = new Map<string, vscode.TestItem>();

  constructor(
    private readonly api: typeof vscode,
    private readonly controller: vscode.TestController,
  ) {}

  /** Puts the tests of a run into the view, in place of those of the last one. */
  replace(tests: readonly ReportedTest[], folder: string): void {
    this.#items.clear();
    const files = new Map<string, vscode.TestItem>();
    for (const test of tests) {
      let file = files.get(test.file);
      if (file === undefined) {
        const path = isAbsolute(test.file) ? test.file : join(folder, test.file);
        file = this.controller.createTestItem(
          `file:${test.file}`,
          test.file || "(no file)",
          this.api.Uri.file(path),
        );
        files.set(test.file, file);
      }
      const key = keyOf(test);
      const item = this.controller.createTestItem(key, test.name, file.uri);
      if (test.runner !== undefined) item.description = test.runner;
      this.#items.set(key, item);
      this.#tests.set(item, test);
      file.children.add(item);
    }
    this.controller.items.replace([...files.values()]);
  }

  /** The item of a test. */
  of(test: ReportedTest): vscode.TestItem | undefined {
    return this.#items.get(keyOf(test));
  }

  /** The test of an item; `undefined` for that of a file. */
  testOf(item: vscode.TestItem): ReportedTest | undefined {
    return this.#tests.get(item);
  }

  /** The tests of items and of those below them; all without items. */
  testsBelow(items: readonly vscode.TestItem[] | undefined): ReportedTest[] {
    const wanted = items ?? [...this.controller.items].map(([, item]) => item);
    return wanted.flatMap((item) => {
      const own = this.testOf(item);
      return own === undefined
        ? this.testsBelow([...item.children].map(([, child]) => child))
        : [own];
    });
  }
}
