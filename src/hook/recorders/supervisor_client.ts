import { KcovUnavailableError, SyscallError } from "../../errors.ts";
import { SUPERVISOR_VARIABLE } from "../../kcov/recorder.ts";
import { loadLibcPart } from "../../sys/load.ts";
import { environmentVariable, isDenoScript } from "../../sys/runtime.ts";
import { BoundaryClient } from "../../tracer/boundary/boundary_client.ts";
import { sayOncePerRun } from "../../record/say_once.ts";

/** What is known of the calling thread's tests under a supervisor. */
interface ThreadTests {
  /** The number of the next test, from 1: the supervisor tells a thread's tests by their numbers. */
  next: number;
  /** Bodies that run on although their test was ended for them. */
  left: number;
}

// A preload and a test file may load this library from two places, as where one of them is a single file: both must
// count on.
const KEY = Symbol.for("kernelcov.thread-tests");
const shared = globalThis as { [KEY]?: ThreadTests };
/** What is known of the calling thread's tests. Each Worker and each file of `deno test` has its own. */
export const threadTests: ThreadTests = shared[KEY] ??= { next: 1, left: 0 };

/** Module state is per thread: each Worker and each file of `deno test` loads its own modules. */
let client: BoundaryClient | null | undefined;

/** The calling thread's way to its supervisor; `null` where it has none. Tries once. */
export function supervisorClient(): BoundaryClient | null {
  if (client === undefined) client = connect();
  return client;
}

function connect(): BoundaryClient | null {
  if (environmentVariable(SUPERVISOR_VARIABLE) === undefined) return null;
  if (environmentVariable("KERNELCOV") === "off") return null;
  try {
    const libc = loadLibcPart(["getpid", "mmap"]);
    return BoundaryClient.connect(libc, environmentVariable, {
      first: threadTests.next === 1,
      script: isDenoScript(),
    });
  } catch (error) {
    if (!(error instanceof KcovUnavailableError || error instanceof SyscallError)) throw error;
    sayOncePerRun(`no kernel coverage of single tests: ${error.message}`);
    return null;
  }
}
