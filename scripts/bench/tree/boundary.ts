/**
 * What a test boundary costs with its record, as the hook makes it, beside `getppid` on the same kernel in the same
 * minute. Argument: the folder of the packed kernelcov.
 */
import { join } from "node:path";
import process from "node:process";
import { loadLibc } from "../../../src/sys/load.ts";
import { runtimeName } from "../../../src/sys/runtime.ts";

type StartCoverage = typeof import("../../../src/hook/start_coverage.ts");

const TESTS = 300;
const ROUNDS = 9;

const { prepareThread, startCoverage }: StartCoverage = await import(
  join(process.argv[2], "src/hook/start_coverage.js")
);
const libc = loadLibc();
prepareThread();

function microseconds(times: number, action: () => void): number {
  const start = performance.now();
  for (let time = 0; time < times; time++) action();
  return (performance.now() - start) * 1000 / times;
}

let tests = 0;
const costs: { boundary: number; call: number }[] = [];
for (let round = 0; round < ROUNDS; round++) {
  const before = microseconds(TESTS * 4, () => libc.getppid());
  const pair = microseconds(TESTS, () => {
    const coverage = startCoverage(() => ({ name: `test ${tests++}`, file: "a_test.ts" }));
    libc.getppid();
    coverage.end("passed");
  });
  const after = microseconds(TESTS * 4, () => libc.getppid());
  const call = (before + after) / 2;
  costs.push({ boundary: (pair - call) / 2, call });
}
// The first rounds compile; the machine's other work disturbs some.
costs.sort((first, second) => first.boundary / first.call - second.boundary / second.call);
const { boundary, call } = costs[costs.length >> 1];
console.log(
  `a boundary in ${runtimeName()}, ${process.env["BOUNDARY_RECORDER"]}: ${
    boundary.toFixed(0)
  } us, getppid: ${call.toFixed(1)} us, so ${
    (boundary / call).toFixed(1)
  } of them (median of ${ROUNDS} rounds)`,
);
