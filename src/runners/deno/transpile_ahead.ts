import { spawn } from "node:child_process";
import process from "node:process";
import { runtimeName } from "../../sys/runtime.ts";

/**
 * Has Deno transpile modules, and all that they import, into its cache, while an embedded kernel starts: what
 * a guest writes there is lost with it, so every run would transpile them again. Runs are the same if it
 * fails.
 */
export function transpileAhead(modules: readonly string[]): void {
  if (runtimeName() !== "deno") return;
  const flags = ["cache", "--quiet", "--no-lock", "--no-config"];
  const child = spawn(process.execPath, [...flags, ...modules], { stdio: "ignore" });
  child.on("error", () => {});
  child.unref();
}
