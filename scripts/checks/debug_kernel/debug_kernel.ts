/**
 * Runs the tests of collectors and the other tests inside the embedded kernel on one that watches itself (lists, locks,
 * timers, works, memory: `config`), and fails where the kernel warns or a test fails: `npm run check:causes`. The KUnit row
 * of the table of causes runs only here. Building the kernel takes some three times as long as the embedded one.
 *
 *   npm run check:causes [-- TEST…]     these tests instead of all
 */
import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { kernelComplaints } from "../kernel_complaints.ts";

const NAME = "debug-causes";
const LINES_SHOWN = 40;

function here(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}

/** Runs kernelcov and returns its exit status and all it printed. Shown as it comes, but for the kernel's messages. */
function kernelcov(args: readonly string[]): Promise<{ status: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(here("../../../src/cli/kernelcov"), args, {
      cwd: here("../../.."),
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NO_COLOR: "1" },
    });
    let output = "";
    child.stdout.on("data", (bytes: Uint8Array) => {
      process.stdout.write(bytes);
      output += bytes;
    });
    child.stderr.on("data", (bytes: Uint8Array) => output += bytes);
    child.on("error", reject);
    child.on("close", (status) => resolve({ status: status ?? 1, output }));
  });
}

const start = performance.now();
const built = await kernelcov(["kernel", "build", "--config", here("config"), "--name", NAME]);
if (built.status !== 0) {
  console.log(built.output);
  process.exit(1);
}
console.log(`Built or found after ${((performance.now() - start) / 1000).toFixed(0)} s`);
const asked = process.argv.slice(2);
const tests = asked.length > 0 ? asked : ["tests/kernel"];
const from = performance.now();
const { status, output } = await kernelcov([
  ...["kernel", "run", "--kernel", NAME, "--timeout", "7200", "--dmesg", "--"],
  ...["deno", "test", "-A", "--no-check", ...tests],
]);
const found = kernelComplaints(output);
const seconds = ((performance.now() - from) / 1000).toFixed(0);
console.log(`Exit status ${status}, ${found.length} complaints of the kernel's, ${seconds} s`);
if (status !== 0) console.log(output.split("\n").slice(-LINES_SHOWN).join("\n"));
for (const text of found) console.log(`\n${text}`);
process.exitCode = status === 0 && found.length === 0 ? 0 : 1;
