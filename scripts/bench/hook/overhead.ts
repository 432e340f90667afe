/** Time of an empty test body with and without the hook, and of `getppid`, in microseconds; runs on a KCOV kernel. */
import { withKernelCoverage } from "../../../mod.ts";
import { loadLibc } from "../../../src/sys/load.ts";

const ROUNDS = 1000;

async function perCall(body: () => unknown): Promise<number> {
  for (let i = 0; i < 50; i++) await body();
  const start = performance.now();
  for (let i = 0; i < ROUNDS; i++) await body();
  return (performance.now() - start) * 1000 / ROUNDS;
}

function empty(): void {}

const plain = await perCall(empty);
const covered = await perCall(withKernelCoverage(empty, { name: "empty" }));
const libc = loadLibc();
const systemCall = await perCall(() => libc.getppid());
console.log(`${covered - plain} ${systemCall}`);
