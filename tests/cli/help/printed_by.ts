import { execFileSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { runtimeName } from "../../../src/sys/runtime.ts";

const MAIN = join(import.meta.dirname!, "../../../src/cli/main.ts");
const known = new Map<string, string>();

/** Standard output of `kernelcov` with these arguments, in this runtime; run once. */
export function printedBy(args: readonly string[]): string {
  const key = args.join("\n");
  let output = known.get(key);
  if (output === undefined) {
    const runtime = runtimeName() === "deno" ? ["run", "-A", "--no-check"] : [];
    output = execFileSync(process.execPath, [...runtime, MAIN, ...args], { encoding: "utf8" });
    known.set(key, output);
  }
  return output;
}
