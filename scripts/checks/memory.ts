/**
 * Runs programs that need much memory, in many pieces, in the embedded kernel at its default size, and prints how each
 * ended and how long it took beside the same program on this machine: `npm run check:memory`. Needs
 * python3. Exit status 1 where one fails.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { buildEmbeddedKernel } from "../../src/build/build_kernel.ts";

function here(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}

const folder = mkdtempSync(join(tmpdir(), "kernelcov-memory-"));
const timed = join(folder, "timed");
execFileSync("gcc", ["-O2", "-static", "-o", timed, here("../bench/guest/timed.c")]);

const AT_RANDOM = `
import mmap, random
memory = mmap.mmap(-1, 270 << 20)
pages = list(range(270 * 256))
random.seed(1)
random.shuffle(pages)
for page in pages: memory[page * 4096] = 1
print(sum(memory[page * 4096] for page in pages))`;
const DICTIONARY = `
d = {}
for i in range(1500000): d[i * 7919 % 15000017] = str(i)
print(len(d))`;

const PROGRAMS: readonly (readonly [name: string, command: readonly string[]])[] = [
  ["1.5 GiB written in random order", [timed, "touch", "1536"]],
  ["python3: 270 MiB written in random order", ["/usr/bin/python3", "-c", AT_RANDOM]],
  ["python3: a dictionary of 1.5 million entries", ["/usr/bin/python3", "-c", DICTIONARY]],
  ["sort -R of six million lines", ["sh", "-c", "seq 6000000 | sort -R -S 600M | wc -l"]],
];

function run(command: readonly string[]): { ok: boolean; seconds: number } {
  const start = performance.now();
  const { status } = spawnSync(command[0], command.slice(1), {
    stdio: ["ignore", "ignore", "inherit"],
  });
  return { ok: status === 0, seconds: (performance.now() - start) / 1000 };
}

try {
  await buildEmbeddedKernel();
  const limit = readFileSync("/proc/sys/vm/max_map_count", "utf8").trim();
  console.log(`vm.max_map_count is ${limit}, the guest has 2 GiB`);
  for (const [name, command] of PROGRAMS) {
    const there = run(command);
    const inside = run([here("../../src/cli/kernelcov"), "kernel", "run", "--", ...command]);
    if (!there.ok || !inside.ok) process.exitCode = 1;
    const seconds = `${inside.seconds.toFixed(1)} s (here ${there.seconds.toFixed(1)} s)`;
    console.log(`${inside.ok ? "ok    " : "FAILED"} ${name}: ${seconds}`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
