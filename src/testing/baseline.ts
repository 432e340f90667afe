import { loadLibc } from "../sys/load.ts";
import { currentFile } from "./covered_tests.ts";
import { runCovered } from "./run_covered.ts";
import { SupervisedCoverage } from "./supervised_coverage.ts";
import { supervisorClient } from "./supervisor_client.ts";

const ROUNDS = 3;

/**
 * Records what the runner itself runs in an empty test: its event loop, its garbage collector, the boundaries. Does
 * nothing where no supervisor keeps such a record apart.
 *
 * @param collect Runs the garbage collector, where the runtime can.
 */
export async function recordBaseline(collect: () => void): Promise<void> {
  const client = supervisorClient();
  if (client === null) return;
  const identity = { name: "(empty tests)", file: currentFile() };
  const libc = loadLibc();
  for (let round = 0; round < ROUNDS; round++) {
    const coverage = new SupervisedCoverage(client, identity, "baseline");
    coverage.begin();
    await runCovered(coverage, async () => {
      libc.getppid();
      await Promise.resolve();
      await new Promise((resolve) => setTimeout(resolve, 0));
      allocate();
      if (round === 0) collect();
    });
  }
}

/** Enough garbage for a young-generation collection in either runtime. */
function allocate(): void {
  let kept: number[] = [];
  for (let round = 0; round < 16; round++) kept = Array.from({ length: 8192 }, () => round);
  void kept;
}
