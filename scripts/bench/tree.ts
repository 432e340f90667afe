/**
 * What whole-tree coverage costs, in the embedded kernel: wall time of test commands without a supervisor, under the
 * least one that can be (a program in C that enrols every task, answers every message and records nothing) and under
 * kernelcov's as it is packed for npm, alternating in one run; the supervisor's own processor time; and a test boundary
 * beside `getppid`. Arguments: deno, bun; both by default.
 *
 * Goals: 1.15 times or less for suites, 20 % of a core or less while tests compute, 20 `getppid` or less a boundary.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { buildEmbeddedKernel } from "../../src/build/build_kernel.ts";
import { builtKernel } from "../../src/machines/uml/uml_kernel.ts";
import { UmlMachine } from "../../src/machines/uml/uml_machine.ts";
import { pack } from "../pack.ts";

const machine = new UmlMachine(builtKernel(await buildEmbeddedKernel()));
const folder = mkdtempSync(join(tmpdir(), "kernelcov-bench-"));
try {
  execFileSync("tar", ["xzf", pack(folder), "-C", folder]);
  const packed = join(folder, "package");
  const guest = fileURLToPath(new URL("./tree/guest.ts", import.meta.url));
  const command = ["deno", "run", "-A", "--no-check", "--no-lock", guest, packed];
  const { exitStatus } = await machine.run({ command: [...command, ...process.argv.slice(2)] });
  process.exitCode = exitStatus;
} finally {
  rmSync(folder, { recursive: true });
}
