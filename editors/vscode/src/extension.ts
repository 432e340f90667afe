import * as vscode from "vscode";
import { start } from "./start.ts";

/** Called by the editor. */
export function activate(context: vscode.ExtensionContext): void {
  start(vscode, context);
}
