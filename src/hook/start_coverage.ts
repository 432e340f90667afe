import { KcovUnavailableError } from "../errors.ts";
import { requireSource } from "../sys/node_builtins.ts";
import { environmentVariable, isNotPermitted, runtimeName } from "../sys/runtime.ts";
import type { TestIdentity } from "./kernel_coverage.ts";
import { MissingCoverage, missingCoverage } from "./missing_coverage.ts";
import { say } from "../record/say_once.ts";
import type { TestCoverage } from "./test_coverage.ts";
import { SupervisedCoverage } from "./supervised_coverage.ts";
import { supervisorClient } from "./supervisor_client.ts";

type ThreadCoverage = typeof import("./thread/thread_coverage.ts");

let loaded: ThreadCoverage | KcovUnavailableError | undefined;

/**
 * What records a thread by itself, or why the runtime does not permit to load it. Not an import: under a supervisor no
 * thread that runs tests needs to load it.
 */
function threadCoverage(): ThreadCoverage | KcovUnavailableError {
  if (runtimeName() === "unknown") {
    // Loading it would fail: it is written for runtimes that can call the kernel.
    return loaded ??= new KcovUnavailableError(
      "no-libc",
      "This JavaScript runtime cannot call the kernel: run the tests with deno test or bun test",
    );
  }
  try {
    loaded ??= requireSource(import.meta.url, "hook/thread/thread_coverage") as ThreadCoverage;
  } catch (cause) {
    if (!isNotPermitted(cause)) throw cause;
    loaded = new KcovUnavailableError(
      "not-permitted",
      "Cannot load what records a thread: the permission to read files is missing: run deno test with -A",
      { cause },
    );
  }
  return loaded;
}

/** Opens what records the thread before the first test. A failure is reported when a test runs. */
export function prepareThread(): void {
  if (supervisorClient() !== null) return;
  const coverage = threadCoverage();
  if (!(coverage instanceof KcovUnavailableError)) coverage.prepareThreadCoverage();
}

/**
 * Begins to record the calling thread; nothing runs between the reset of the buffer and the return. If coverage is
 * unavailable, returns a {@linkcode MissingCoverage}: the test runs all the same.
 *
 * Under a supervisor all threads and processes are recorded, by the supervisor.
 *
 * @param identity Names the test; called before recording begins.
 * @param parent The test that this one is a part of; matters under a supervisor only.
 * @throws {KcovUnavailableError} Where coverage is unavailable and the environment requires it; then any error.
 */
export function startCoverage(
  identity: () => TestIdentity,
  parent?: TestCoverage,
): TestCoverage {
  try {
    return started(identity, parent);
  } catch (error) {
    if (environmentVariable("KERNELCOV") === "require") throw error;
    const { name, why } = lost(identity, error);
    say(`no record of test ${JSON.stringify(name)}: ${why.message}`);
    return new MissingCoverage(name, why);
  }
}

function started(identity: () => TestIdentity, parent?: TestCoverage): TestCoverage {
  const supervisor = supervisorClient();
  if (supervisor === null) {
    const thread = threadCoverage();
    if (!(thread instanceof KcovUnavailableError)) return thread.startThreadCoverage(identity);
    return missingCoverage(identity().name, thread, environmentVariable("KERNELCOV"));
  }
  const coverage = new SupervisedCoverage(supervisor, identity(), "test", parent);
  coverage.begin();
  return coverage;
}

function lost(
  identity: () => TestIdentity,
  cause: unknown,
): { name: string; why: KcovUnavailableError } {
  const message = cause instanceof Error ? cause.message : String(cause);
  const why = new KcovUnavailableError("busy", message, { cause });
  try {
    return { name: identity().name, why };
  } catch {
    return { name: "unnamed test", why };
  }
}
