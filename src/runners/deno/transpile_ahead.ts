import { spawn } from "node:child_process";
import process from "node:process";
import { runtimeName } from "../../sys/runtime.ts";
import { supervisorModule } from "../../tracer/supervised_command.ts";
import { denoRunner } from "./runner.ts";

/**
 * Has Deno transpile the supervisor's modules and the preload's into its cache, while an embedded kernel starts: what
 * a guest writes there is lost with it, so every run would transpile them again. Runs are the same if it
 * fails.
 */
export function transpileAhead(): void {
  if (runtimeName() !== "deno") return;
  const modules = [supervisorModule(), denoRunner.preload];
  const flags = ["cache", "--quiet", "--no-lock", "--no-config"];
  const child = spawn(process.execPath, [...flags, ...modules], { stdio: "ignore" });
  child.on("error", () => {});
  child.unref();
}
