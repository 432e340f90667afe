/**
 * What whole-tree coverage costs, in the embedded kernel: wall time of test commands without it, with collectors and with
 * ptrace, as kernelcov is packed for npm, alternating in one run; the time from the start to the end of one empty test;
 * and a test boundary with its record beside `getppid`. Arguments: deno, bun; both by default; `--kernel PATH` for a
 * kernel of your own.
 *
 * Goals with collectors: 1.10 times or less, 4 `getppid` or less a boundary, 50 ms or less for one empty test.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { guestMachine } from "../../src/cli/recording/machine_choice.ts";
import { pack } from "../pack.ts";

const args = process.argv.slice(2);
const at = args.indexOf("--kernel");
const [, kernel = "embedded"] = at < 0 ? [] : args.splice(at, 2);
const folder = mkdtempSync(join(tmpdir(), "kernelcov-bench-"));
const runs = join(folder, "runs");
try {
  execFileSync("mkdir", [runs]);
  execFileSync("tar", ["xzf", pack(folder), "-C", folder]);
  const machine = await guestMachine(kernel, { write: [runs] });
  const packed = join(folder, "package");
  const guest = fileURLToPath(new URL("./tree/guest.ts", import.meta.url));
  const command = ["deno", "run", "-A", "--no-check", "--no-lock", guest, packed, runs];
  const { exitStatus } = await machine.run({ command: [...command, ...args] });
  process.exitCode = exitStatus;
} finally {
  rmSync(folder, { recursive: true });
}
