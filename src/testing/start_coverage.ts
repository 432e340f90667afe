import { KcovUnavailableError } from "../errors.ts";
import { nodeBuiltin } from "../sys/node_builtins.ts";
import { environmentVariable, isNotPermitted } from "../sys/runtime.ts";
import type { TestIdentity } from "./kernel_coverage.ts";
import { MissingCoverage } from "./missing_coverage.ts";
import { sayOncePerRun } from "./say_once.ts";
import type { StartedCoverage } from "./started_coverage.ts";
import { SupervisedCoverage } from "./supervised_coverage.ts";
import { supervisorClient } from "./supervisor_client.ts";

type ThreadCoverage = typeof import("./thread_coverage.ts");

let loaded: ThreadCoverage | undefined;
let notLoaded: KcovUnavailableError | undefined;

/**
 * What records a thread by itself; `null` where the runtime does not permit to load it. Not an import: under a
 * supervisor no thread that runs tests needs to load it.
 */
function threadCoverage(): ThreadCoverage | null {
  if (loaded !== undefined || notLoaded !== undefined) return loaded ?? null;
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const { createRequire } = nodeBuiltin("node:module");
  try {
    loaded = createRequire(import.meta.url)(`./thread_coverage.${extension}`) as ThreadCoverage;
    return loaded;
  } catch (cause) {
    if (!isNotPermitted(cause)) throw cause;
    notLoaded = new KcovUnavailableError(
      "not-permitted",
      "Cannot load what records a thread: the permission to read files is missing: run deno test with -A",
      { cause },
    );
    return null;
  }
}

/** Opens what records the thread ahead of the first test. Why that fails is said when a test runs. */
export function prepareThread(): void {
  if (supervisorClient() === null) threadCoverage()?.prepareThreadCoverage();
}

/**
 * Begins to record the calling thread; nothing runs between the reset of the buffer and the return. Where nothing can
 * be recorded, gives what stands for it.
 *
 * Under a supervisor all threads and processes are recorded, by the supervisor.
 *
 * @param identity Names the test; called before recording begins.
 * @param parent The test that this one is a part of; matters under a supervisor only.
 * @throws {KcovUnavailableError} Where coverage cannot be had and the environment requires it.
 */
export function startCoverage(
  identity: () => TestIdentity,
  parent?: StartedCoverage,
): StartedCoverage {
  const supervisor = supervisorClient();
  if (supervisor === null) {
    return threadCoverage()?.startThreadCoverage(identity) ?? missing(identity);
  }
  const coverage = new SupervisedCoverage(supervisor, identity(), "test", parent);
  coverage.begin();
  return coverage;
}

/** Stands for the coverage of a thread that may not even load what records it. */
function missing(identity: () => TestIdentity): StartedCoverage {
  const why = notLoaded!;
  const mode = environmentVariable("KERNELCOV");
  if (mode === "require") throw why;
  if (mode !== "off") sayOncePerRun(`no kernel coverage: ${why.message}`);
  return new MissingCoverage(identity().name, why);
}
