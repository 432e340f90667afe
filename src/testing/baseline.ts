import { currentFile } from "./covered_tests.ts";
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
  // Once for each process: Deno runs every file on a thread of its own, and a run needs its noise once.
  if (client?.send({ do: "baseline" })?.done !== true) return;
  const identity = { name: "(empty tests)", file: currentFile() };
  for (let round = 0; round < ROUNDS; round++) {
    const coverage = new SupervisedCoverage(client, identity, "baseline");
    coverage.begin();
    await Promise.resolve();
    await new Promise((resolve) => setTimeout(resolve, 0));
    if (round === 0) {
      allocate();
      collect();
    }
    coverage.end("passed");
  }
}

/** Enough garbage for a young-generation collection in either runtime. */
function allocate(): void {
  let kept: object[] = [];
  for (let round = 0; round < 16; round++) kept = new Array(8192).fill(kept);
  void kept;
}
