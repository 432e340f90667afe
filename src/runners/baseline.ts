import { currentFile } from "../hook/test_name.ts";
import { SupervisedCoverage } from "../hook/supervised_coverage.ts";
import { supervisorClient } from "../hook/supervisor_client.ts";

const ROUNDS = 4;

/**
 * Records what the runner itself runs in every empty test, such as its event loop: the supervisor keeps what all of
 * several have in common. Does nothing where no supervisor keeps such a record apart.
 */
export async function recordBaseline(): Promise<void> {
  const client = supervisorClient();
  // Once for each process: Deno runs every file on a thread of its own, and a run needs its noise once.
  if (client?.send({ do: "baseline" })?.done !== true) return;
  const identity = { name: "(empty tests)", file: currentFile() };
  for (let round = 0; round < ROUNDS; round++) {
    const coverage = new SupervisedCoverage(client, identity, "baseline");
    coverage.begin();
    await Promise.resolve();
    await new Promise((resolve) => setTimeout(resolve, 0));
    coverage.end("passed");
  }
}
