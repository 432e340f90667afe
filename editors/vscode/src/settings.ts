import { existsSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import type * as vscode from "vscode";

/** What the user has set, with paths made absolute. */
export interface Settings {
  readonly command: readonly [string, ...string[]];
  /** Where commands are run. */
  readonly testFolder: string;
  /** The folder with the reports of the run. */
  readonly run: string;
  /** The kernel's source tree; `undefined` for the sources beside the kernel's image. */
  readonly sourceTree: string | undefined;
  readonly testOptions: readonly string[];
  readonly runnerOptions: Readonly<Record<string, readonly string[]>>;
}

/**
 * Reads the settings.
 *
 * @throws {TypeError} No folder is open.
 */
export function readSettings({ workspace }: typeof vscode): Settings {
  const folders = (workspace.workspaceFolders ?? []).map(({ uri }) => uri.fsPath);
  const [first] = folders;
  const set = workspace.getConfiguration("kernelcov");
  const testFolder = absolute(set.get("testFolder", ""), first) ?? first;
  if (testFolder === undefined) {
    throw new TypeError("No folder is open: open that of the tests, or of the kernel");
  }
  const [program = "kernelcov", ...args] = set.get<string[]>("command", []);
  return {
    command: [program, ...args],
    testFolder,
    run: absolute(set.get("run", "coverage/kernel"), testFolder)!,
    sourceTree: absolute(set.get("sourceTree", ""), first) ?? folders.find(isKernelTree),
    testOptions: set.get("testOptions", []),
    runnerOptions: set.get("runnerOptions", {}),
  };
}

function absolute(path: string, base: string | undefined): string | undefined {
  if (path === "") return undefined;
  return isAbsolute(path) || base === undefined ? path : join(base, path);
}

function isKernelTree(folder: string): boolean {
  return ["Kconfig", "fs", "kernel"].every((name) => existsSync(join(folder, name)));
}
