import { KcovUnavailableError } from "../errors.ts";
import { requireSource } from "../sys/node_builtins.ts";
import { environmentVariable, isNotPermitted, runtimeName } from "../sys/runtime.ts";
import type { TestIdentity } from "./kernel_coverage.ts";
import { MissingCoverage, missingCoverage } from "./missing_coverage.ts";
import { say } from "../record/say_once.ts";
import { LiveCoverage } from "./live_coverage.ts";
import type { RemoteSource } from "../kcov/remote/remote_sources.ts";
import type { FaultOptions } from "./faults/fault_plan.ts";
import type { RecordMode } from "./mode.ts";
import { type Recorder, sharedRecorder } from "./recorders/recorder.ts";
import { supervisorRecorder } from "./recorders/supervisor_recorder.ts";
import type { TestCoverage } from "./test_coverage.ts";

type OwnRecorder = typeof import("./recorders/own_recorder.ts");

/** The calling thread's recorder, or why there is none. */
function recorder(): Recorder | KcovUnavailableError {
  return sharedRecorder(() => supervisorRecorder() ?? loadedRecorder());
}

let loaded: Recorder | KcovUnavailableError | undefined;

/**
 * What records a thread by itself, or why the runtime does not permit to load it. Not an import: under a supervisor no
 * thread that runs tests needs to load it.
 */
function loadedRecorder(): Recorder | KcovUnavailableError {
  if (runtimeName() === "unknown") {
    // Loading it would fail: it is written for runtimes that can call the kernel.
    return loaded ??= new KcovUnavailableError(
      "no-libc",
      "This JavaScript runtime cannot call the kernel: run the tests with deno test or bun test",
    );
  }
  try {
    loaded ??= (requireSource(import.meta.url, "hook/recorders/own_recorder") as OwnRecorder)
      .ownRecorder();
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
  const found = recorder();
  if (!(found instanceof KcovUnavailableError)) found.prepare(false);
}

/**
 * Begins to record a test; nothing of the hook's is recorded. If coverage is unavailable, returns a
 * {@linkcode MissingCoverage}: the test runs all the same.
 *
 * @param identity Names the test; called before recording begins.
 * @throws {KcovUnavailableError} Where coverage is unavailable and the environment requires it; then any error.
 */
export function startCoverage(
  identity: () => TestIdentity,
  options: StartOptions = {},
): TestCoverage {
  try {
    return started(identity, options);
  } catch (error) {
    if (environmentVariable("KERNELCOV") === "require") throw error;
    const { name, why } = lost(identity, error);
    say(`no record of test ${JSON.stringify(name)}: ${why.message}`);
    return new MissingCoverage(name, why);
  }
}

/** What else is known of a test that begins. */
export interface StartOptions {
  /** The test that this one is a part of. */
  readonly parent?: TestCoverage | undefined;
  /** What is recorded of it; what the environment asks for by default. */
  readonly record?: RecordMode | undefined;
  /** Whose work in the kernel's own tasks is recorded too; what the environment asks for by default. */
  readonly remote?: readonly RemoteSource[] | undefined;
  /** What is to fail when its body runs again; what the environment asks for by default. */
  readonly faults?: FaultOptions | undefined;
}

function started(identity: () => TestIdentity, options: StartOptions): TestCoverage {
  const found = recorder();
  if (found instanceof KcovUnavailableError) {
    return missingCoverage(identity().name, found, environmentVariable("KERNELCOV"));
  }
  return recorded(found, identity, options);
}

function recorded(
  found: Recorder,
  identity: () => TestIdentity,
  options: StartOptions,
): TestCoverage {
  const why = found.unavailable();
  if (why !== undefined) return missingCoverage(identity().name, why, found.mode);
  function made(): LiveCoverage {
    found.prepare(true);
    return new LiveCoverage(found, identity(), options);
  }
  const coverage = found.pausesFreely ? found.pause(made) : made();
  try {
    coverage.begin();
  } catch (error) {
    if (!(error instanceof KcovUnavailableError)) throw error;
    return missingCoverage(coverage.name, error, found.mode);
  }
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
