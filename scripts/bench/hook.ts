/**
 * `npm run bench -- hook`: the embedded kernel's start, the hook's cost per test, decoding against C, and the symbolization
 * of a test's PCs against llvm-symbolizer; each figure beside its peer's from the same run.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { formatAddress } from "../../src/base/address.ts";
import { loadImageIndexSync } from "../../src/symbolize/index/load_index.ts";
import { embeddedKernelPath } from "../../src/build/build_kernel.ts";
import { noteRow } from "./bench_row.ts";

const root = join(import.meta.dirname!, "../..");
const kernelcov = join(root, "src/cli/kernelcov");
const runtimes = ["deno", "bun"] as const;
const scratch = mkdtempSync(join(tmpdir(), "kernelcov-bench-"));

function run(
  command: string[],
  options: { input?: string; env?: Record<string, string> } = {},
): string {
  const { status, stdout, stderr, error } = spawnSync(command[0], command.slice(1), {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 1 << 30,
    input: options.input,
    env: { ...process.env, ...options.env },
  });
  if (status !== 0) throw new TypeError(`${command.join(" ")} failed: ${error ?? stderr}`);
  return stdout;
}

/** Median of the times of some runs, in milliseconds. */
function median(rounds: number, action: () => void): number {
  const times = Array.from({ length: rounds }, () => {
    const start = performance.now();
    action();
    return performance.now() - start;
  }).sort((a, b) => a - b);
  return times[rounds >> 1];
}

function script(runtime: string, file: string): string[] {
  const path = join(root, "scripts/bench/hook", file);
  return runtime === "deno" ? ["deno", "run", "-A", "--no-check", path] : ["bun", path];
}

function print(what: string, figure: string, peer: string): void {
  console.log(`${what.padEnd(44)}${figure.padEnd(26)}${peer}`);
  const [side, ratio = ""] = peer.split(": ratio ");
  noteRow({ what, figure, peer: side!, ratio });
}

function benchStart(): void {
  const guest = median(7, () => void run([kernelcov, "kernel", "run", "--", "true"]));
  const command = median(7, () => void run([kernelcov, "--version"]));
  print(
    "kernel run -- true, start to end",
    `${guest.toFixed(0)} ms`,
    `the command alone ${command.toFixed(0)} ms`,
  );
}

function benchOverhead(): void {
  for (const runtime of runtimes) {
    const output = run([
      kernelcov,
      "kernel",
      "run",
      "--",
      "env",
      `KERNELCOV_RUN=/tmp/bench-run`,
      ...script(runtime, "overhead.ts"),
    ]);
    const [hook, systemCall] = output.trim().split("\n").at(-1)!.split(" ").map(Number);
    print(
      `hook per empty test, record included, ${runtime}`,
      `${hook!.toFixed(0)} us`,
      `getppid there ${systemCall!.toFixed(1)} us: ratio ${(hook! / systemCall!).toFixed(0)}`,
    );
  }
}

/** A trace as tests leave them: runs of neighbouring points, many repeats. */
function makeTrace(path: string): void {
  const words = 4 << 20;
  const trace = new BigUint64Array(words);
  let seed = 1;
  for (let at = 0; at < words;) {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
    const first = (seed >>> 8) % 6000;
    for (let i = 0; i < 40 && at < words; i++) trace[at++] = 0x60021000n + BigInt((first + i) * 37);
  }
  writeFileSync(path, new Uint8Array(trace.buffer));
}

function benchDecoding(): void {
  const trace = join(scratch, "trace"), peer = join(scratch, "decode_peer");
  makeTrace(trace);
  run(["gcc", "-O2", "-o", peer, join(root, "scripts/bench/hook/decode_peer.c")]);
  const rate = (output: string): number => {
    const [entries, , seconds] = output.trim().split(" ").map(Number);
    return entries! / seconds! / 1e6;
  };
  const c = rate(run([peer, trace]));
  for (const runtime of runtimes) {
    const own = rate(run([...script(runtime, "decode.ts"), trace]));
    print(
      `PCs decoded and counted, ${runtime}`,
      `${own.toFixed(0)} M/s`,
      `C at -O2 ${c.toFixed(0)} M/s: ratio ${(own / c).toFixed(2)}`,
    );
  }
}

function benchSymbolizer(): void {
  const vmlinux = embeddedKernelPath();
  if (vmlinux === undefined) {
    throw new TypeError("The embedded kernel is not built: run kernelcov kernel build");
  }
  const { pointOffset, base, callLength } = loadImageIndexSync(vmlinux);
  // A test reaches some functions whole: every eighth stretch of points, 2,000 in all.
  const calls = Array.from(
    { length: 2000 },
    (_, i) => base + pointOffset[(i >> 3) * 800 + (i & 7)],
  );
  const raw = calls.map((call) => formatAddress(call + callLength)).join("\n");
  const llvm = median(
    5,
    () =>
      void run(["llvm-symbolizer", "--inlines", `--obj=${vmlinux}`], {
        input: calls.map(formatAddress).join("\n"),
      }),
  );
  for (const runtime of runtimes) {
    const env = { KERNELCOV_RUNTIME: runtime };
    const command = [kernelcov, "symbolize", "--vmlinux", vmlinux, "--json"];
    run(command, { input: raw, env });
    const own = median(5, () => void run(command, { input: raw, env }));
    print(
      `2,000 PCs of a test symbolized, ${runtime}`,
      `${own.toFixed(0)} ms`,
      `llvm-symbolizer ${llvm.toFixed(0)} ms: ratio ${(own / llvm).toFixed(2)}`,
    );
  }
}

try {
  benchStart();
  benchOverhead();
  benchDecoding();
  benchSymbolizer();
} finally {
  rmSync(scratch, { recursive: true });
}
