import type * as vscode from "vscode";

// What of the editor the extension uses, as plain objects that keep what they were given.

class Uri {
  private constructor(readonly fsPath: string) {}
  static file(path: string): Uri {
    return new Uri(path);
  }
}

class Position {
  constructor(readonly line: number, readonly character: number) {}
}

class Range {
  readonly start: Position;
  readonly end: Position;
  constructor(startLine: number, startCharacter: number, endLine: number, endCharacter: number) {
    this.start = new Position(startLine, startCharacter);
    this.end = new Position(endLine, endCharacter);
  }
}

class TestCoverageCount {
  constructor(readonly covered: number, readonly total: number) {
    // As the editor does.
    if (covered > total) throw new RangeError(`The total of ${total} is below ${covered}`);
  }
}

class FileCoverage {
  constructor(
    readonly uri: Uri,
    readonly statementCoverage: TestCoverageCount,
    readonly branchCoverage?: TestCoverageCount,
    readonly declarationCoverage?: TestCoverageCount,
    readonly includesTests: Item[] = [],
  ) {}
}

class StatementCoverage {
  constructor(readonly executed: number | boolean, readonly location: Range) {}
}

class DeclarationCoverage {
  constructor(
    readonly name: string,
    readonly executed: number | boolean,
    readonly location: Position,
  ) {}
}

class TestMessage {
  constructor(readonly message: string) {}
}

class TestRunRequest {
  constructor(
    readonly include?: readonly Item[],
    readonly exclude?: readonly Item[],
    readonly profile?: unknown,
  ) {}
}

/** An item's children, or a controller's items. */
class Items {
  readonly #items = new Map<string, Item>();
  add(item: Item): void {
    this.#items.set(item.id, item);
  }
  replace(items: readonly Item[]): void {
    this.#items.clear();
    for (const item of items) this.add(item);
  }
  get size(): number {
    return this.#items.size;
  }
  [Symbol.iterator](): Iterator<[string, Item]> {
    return this.#items.entries();
  }
}

/** A test, or a file of tests. */
export class Item {
  readonly children: Items = new Items();
  description: string | undefined;
  constructor(readonly id: string, readonly label: string, readonly uri?: Uri) {}
}

/** A run of the editor's, with what the extension told it. */
export class EditorRun {
  readonly coverage: FileCoverage[] = [];
  readonly told: string[] = [];
  output = "";
  ended = false;
  readonly token: undefined = undefined;
  constructor(readonly request: TestRunRequest, readonly name: string | undefined) {}
  addCoverage(coverage: FileCoverage): void {
    this.coverage.push(coverage);
  }
  appendOutput(text: string): void {
    this.output += text;
  }
  started(item: Item): void {
    this.told.push(`started ${item.label}`);
  }
  passed(item: Item): void {
    this.told.push(`passed ${item.label}`);
  }
  failed(item: Item, { message }: TestMessage): void {
    this.told.push(`failed ${item.label}: ${message}`);
  }
  end(): void {
    this.ended = true;
  }
}

/** The settings of a user. */
export type UserSettings = Readonly<Record<string, unknown>>;

/** An editor with some folders open. */
export class FakeEditor {
  readonly items: Items = new Items();
  readonly runs: EditorRun[] = [];
  readonly messages: string[] = [];
  readonly commands = new Map<string, (argument?: unknown) => Promise<void>>();
  readonly subscriptions: { dispose(): unknown }[] = [];
  profile!: vscode.TestRunProfile & { runHandler: vscode.TestRunProfile["runHandler"] };
  /** What the last list had, and what is chosen of the next ones. */
  listed: string[] = [];
  chosen = -1;
  /** The folder that is chosen next. */
  folder: string | undefined;
  selection: { path: string; first: number; last: number } | undefined;

  constructor(private readonly folders: readonly string[], readonly settings: UserSettings) {}

  /** The editor as the module that extensions import. */
  get api(): typeof vscode {
    const nothing = { dispose() {} };
    const api = {
      Uri,
      Position,
      Range,
      TestCoverageCount,
      FileCoverage,
      StatementCoverage,
      DeclarationCoverage,
      TestMessage,
      TestRunRequest,
      TestRunProfileKind: { Run: 1, Debug: 2, Coverage: 3 },
      tests: {
        createTestController: () => ({
          ...nothing,
          items: this.items,
          createTestItem: (id: string, label: string, uri?: Uri) => new Item(id, label, uri),
          createRunProfile: (label: string, kind: number, runHandler: unknown) =>
            this.profile = {
              ...nothing,
              label,
              kind,
              runHandler,
            } as unknown as typeof this.profile,
          createTestRun: (request: TestRunRequest, name?: string) => {
            const run = new EditorRun(request, name);
            this.runs.push(run);
            return run;
          },
        }),
      },
      commands: {
        registerCommand: (name: string, run: (argument?: unknown) => Promise<void>) => {
          this.commands.set(name, run);
          return nothing;
        },
      },
      window: {
        activeTextEditor: this.#textEditor(),
        showOpenDialog: () =>
          Promise.resolve(this.folder === undefined ? undefined : [Uri.file(this.folder)]),
        showQuickPick: (picks: readonly { readonly label: string }[]) => {
          this.listed = picks.map(({ label }) => label);
          return Promise.resolve(picks[this.chosen]);
        },
        showInformationMessage: (text: string) => Promise.resolve(void this.messages.push(text)),
        showErrorMessage: (text: string) =>
          Promise.resolve(void this.messages.push(`error: ${text}`)),
      },
      workspace: {
        workspaceFolders: this.folders.map((path) => ({ uri: Uri.file(path) })),
        getConfiguration: () => ({
          get: (name: string, otherwise: unknown) => this.settings[name] ?? otherwise,
        }),
      },
    };
    Object.defineProperty(api.window, "activeTextEditor", { get: () => this.#textEditor() });
    return api as unknown as typeof vscode;
  }

  #textEditor() {
    if (this.selection === undefined) return undefined;
    const { path, first, last } = this.selection;
    return {
      document: { uri: Uri.file(path) },
      selection: { start: new Position(first - 1, 0), end: new Position(last - 1, 3) },
    };
  }

  /** Runs one of the extension's commands, as its menu does. */
  async run(command: string, argument?: unknown): Promise<void> {
    await this.commands.get(`kernelcov.${command}`)!(argument);
  }

  /** What the editor shows in a file's gutter: the count of each line, for a test or for all. */
  async gutter(run: EditorRun, path: string, item?: Item): Promise<Record<number, number>> {
    const file = run.coverage.find(({ uri }) => uri.fsPath === path)!;
    const [asRun, asFile] = [
      run as unknown as vscode.TestRun,
      file as unknown as vscode.FileCoverage,
    ];
    const token = undefined as unknown as vscode.CancellationToken;
    const details = item === undefined
      ? await this.profile.loadDetailedCoverage!(asRun, asFile, token)
      : await this.profile.loadDetailedCoverageForTest!(
        asRun,
        asFile,
        item as unknown as vscode.TestItem,
        token,
      );
    return Object.fromEntries(
      (details as unknown as (StatementCoverage | DeclarationCoverage)[])
        .filter((detail) => {
          // A range would colour lines of the function that have no coverage points.
          if (detail instanceof DeclarationCoverage && detail.location instanceof Range) {
            throw new TypeError(`${detail.name} has a range`);
          }
          return detail instanceof StatementCoverage;
        })
        .map(({ executed, location }) => [(location as Range).start.line + 1, Number(executed)]),
    );
  }
}
