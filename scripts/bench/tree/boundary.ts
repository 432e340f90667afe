/** Under a supervisor: what a test boundary costs, beside `getppid` on the same kernel in the same minute. */
import { loadLibc } from "../../../src/sys/load.ts";
import { environmentVariable, runtimeName } from "../../../src/sys/runtime.ts";
import { BoundaryClient } from "../../../src/tracer/boundary/boundary_client.ts";

const TESTS = 300;
const ROUNDS = 9;

const libc = loadLibc();
const client = BoundaryClient.connect(libc, environmentVariable);
if (client === null) throw new TypeError("Run this under a supervisor");

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
    const test = ++tests;
    const start = {
      name: `round ${round}`,
      file: "",
      runner: "",
      kind: "test",
      startedAt: 0,
    } as const;
    client.send({ do: "begin", test, ...start });
    libc.getppid();
    client.send({ do: "end", test, outcome: "passed" });
  });
  const after = microseconds(TESTS * 4, () => libc.getppid());
  const call = (before + after) / 2;
  costs.push({ boundary: (pair - call) / 2, call });
}
// The first rounds compile; the machine's other work disturbs some.
costs.sort((first, second) => first.boundary / first.call - second.boundary / second.call);
const { boundary, call } = costs[costs.length >> 1];
console.log(
  `a boundary in ${runtimeName()}: ${boundary.toFixed(0)} us, getppid: ${call.toFixed(1)} us, so ${
    (boundary / call).toFixed(1)
  } of them (median of ${ROUNDS} rounds)`,
);
