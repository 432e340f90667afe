import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { withKernelCoverage } from "kernelcov";
import type { CoverageAnswers } from "../../../src/assertions/coverage_answers.ts";
import { formatAddress } from "../../../src/base/address.ts";
import type { Comparisons } from "../../../src/kcov/comparisons/comparisons.ts";
import { loadLibc } from "../../../src/sys/load.ts";
import { timeLimit } from "../../_support/limits/time_limit.ts";

// These tests must fail where coverage is missing, not pass without it.
process.env.KERNELCOV = "require";
const folder = mkdtempSync(join(tmpdir(), "kernelcov-run-"));
process.env.KERNELCOV_RUN = join(folder, "run");
after(() => {
  delete process.env.KERNELCOV;
  delete process.env.KERNELCOV_RUN;
});

const ROUNDS = 50;
// gcc takes its time in a user-mode kernel.
const SLOW = { timeout: timeLimit(60_000) };
const SOURCE = fileURLToPath(new URL("./fixtures/compared_calls.c", import.meta.url));

/** System calls of x86-64, with arguments that the kernel compares. */
const CALLS: Readonly<Record<string, readonly [bigint, bigint, bigint, bigint]>> = {
  "prctl(0x53, 1, 2)": [157n, 0x53n, 1n, 2n],
  "socket(0x53, 1, 0)": [41n, 0x53n, 1n, 0n],
  "setpriority(0x53, 0, 0)": [141n, 0x53n, 0n, 0n],
  "munmap(2^63, 0x53000)": [11n, 1n << 63n, 0x53000n, 0n],
};

let program: string | undefined;

function comparedInC(args: readonly bigint[]): string[] {
  if (program === undefined) {
    program = join(folder, "compared_calls");
    execFileSync("gcc", ["-O1", "-Wall", "-Werror", "-o", program, SOURCE]);
  }
  const output = execFileSync(program, [`${ROUNDS}`, ...args.map(String)], { encoding: "utf8" });
  return output.trimEnd().split("\n").map((line) => line.split(",").sort().join("\n"));
}

/** Each comparison as the C program prints it, as often as it was made. */
function asInC(comparisons: Comparisons): string {
  const { pcs, types, pairEnd, first, second, times } = comparisons;
  const lines: string[] = [];
  let pair = 0;
  pcs.forEach((pc, at) => {
    for (; pair < pairEnd[at]; pair++) {
      const operands = [first[pair], second[pair]].map((operand) => operand.toString(16));
      const line = `${formatAddress(pc).slice(2)} ${types[at].toString(16)} ${operands.join(" ")}`;
      for (let time = 0; time < times[pair]; time++) lines.push(line);
    }
  });
  return lines.sort().join("\n");
}

/** What most rounds compared: one in which a fault came between holds more. */
function usual(rounds: readonly string[]): { compared: string; rounds: number } {
  const times = new Map<string, number>();
  for (const round of rounds) times.set(round, (times.get(round) ?? 0) + 1);
  const [compared, most] = [...times].sort(([, a], [, b]) => b - a)[0];
  return { compared, rounds: most };
}

for (const [name, args] of Object.entries(CALLS)) {
  test(`${name} through the hook compares what the same call in C does`, SLOW, () => {
    const libc = loadLibc();
    const [number, a, b, c] = args;
    const covered = withKernelCoverage((cov) => {
      libc.syscall(number, a, b, c, 0n, 0n, 0n);
      return cov;
    }, { name, mode: "cmp" });
    const rounds: string[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const answers = covered() as unknown as CoverageAnswers;
      rounds.push(asInC(answers.ask((_, { comparisons }) => comparisons!)));
    }
    const inC = usual(comparedInC(args)), inHook = usual(rounds);
    assert.notEqual(inC.compared, "");
    assert.ok(inC.rounds > ROUNDS / 2, `${inC.rounds} rounds in C agree`);
    assert.ok(inHook.rounds > ROUNDS / 2, `${inHook.rounds} rounds in the hook agree`);
    assert.equal(inHook.compared, inC.compared);
  });
}

test("the operand of a test's own call is found by the line that compares it", SLOW, () => {
  const libc = loadLibc();
  const covered = withKernelCoverage((cov) => {
    libc.syscall(141n, 0x53n, 0n, 0n, 0n, 0n, 0n);
    return cov;
  }, { name: "setpriority", mode: "cmp" });
  const cov = covered();
  const all = cov.comparisons("__do_sys_setpriority");
  const found = all.find(({ pairs }) => pairs.some(({ second }) => second === 0x53n));
  assert.ok(found !== undefined, JSON.stringify(all.map(({ line }) => line)));
  assert.equal(found.file, "kernel/sys.c");
  assert.deepEqual(cov.comparisons(`${found.file}:${found.line}`).includes(found), false);
  assert.ok(cov.comparisons(`kernel/sys.c:${found.line}`).length > 0);
  for (const { pairs } of [found]) {
    for (const { call } of pairs) assert.ok(call === undefined || call === "setpriority");
  }
  assert.throws(() => cov.comparisons("no_such_function"), RangeError);
  assert.throws(() => cov.comparisons("no/such_file.c:3"), RangeError);
  assert.throws(() => cov.pcs(), /comparisons are recorded in its place/);
  assert.throws(() => cov.reached("do_syscall_64"), /comparisons are recorded in its place/);
});

test("a test of points does not know comparisons, and says how they are recorded", () => {
  const covered = withKernelCoverage((cov) => {
    loadLibc().read(-1, null, 0n);
    return cov;
  }, { name: "points" });
  const cov = covered();
  assert.ok(cov.pcs().length > 0);
  assert.throws(() => cov.comparisons(), /--mode cmp/);
});
