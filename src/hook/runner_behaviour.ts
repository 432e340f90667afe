import process from "node:process";
import { environmentVariable, type RuntimeName, runtimeName } from "../sys/runtime.ts";

/** What the hook must know of the test runner that it runs in. */
export interface RunnerBehaviour {
  /** Frames of scripts of such a name are left out of its reports, as those of the runtime itself. */
  readonly unseenScript: string;
  /** Whether it waits for any object with a function `then`, which it calls once, and not for promises only. */
  readonly awaitsThenables: boolean;
  /**
   * Whether a function that a test hands it may come from an asynchronous context. If not, hooks of such a context are
   * taken for hooks that wait for a callback.
   */
  readonly keepsContext: boolean;
  /**
   * Has `finish` called when the tests of the current file end.
   *
   * @param insideTest Whether a test runs now, and tests are not being declared.
   */
  atEndOfFile(finish: () => void, insideTest: boolean): void;
  /** Has `finish` called where the process ends in the middle of a file's tests, if that is not the file's end. */
  atExit(finish: () => void): void;
}

/** The parts of `bun:test` used here. */
interface BunTest {
  afterAll(hook: () => Promise<void>, timeoutMs: number): void;
}

/** The first report of a kernel reads all its debug information: more than a runner's five seconds on a slow machine. */
const REPORT_TIMEOUT_MS = 600_000;

const deno: RunnerBehaviour = {
  unseenScript: "ext:kernelcov/hook.js",
  awaitsThenables: true,
  keepsContext: true,
  // Each file ends with this event, also after failures; it can be listened to at any time.
  atEndOfFile: (finish) => addEventListener("unload", finish),
  atExit() {},
};

const bun: RunnerBehaviour = {
  unseenScript: "bun:wrap",
  awaitsThenables: false,
  keepsContext: false,
  /**
   * `afterAll` belongs to the file while tests are declared, but inside a test to that test; there the end of the process
   * is the better one, except in workers of `bun test --parallel`, which end without that event.
   */
  atEndOfFile(finish, insideTest) {
    const isWorker = environmentVariable("BUN_TEST_WORKER_ID") !== undefined;
    if (insideTest && !isWorker) {
      process.on("exit", finish);
      return;
    }
    try {
      const { afterAll } = process.getBuiltinModule("bun:test") as unknown as BunTest;
      // Asynchronous: inside a test, bun 1.4.5 waits in vain for a synchronous hook to call "done".
      afterAll(() => Promise.resolve(finish()), REPORT_TIMEOUT_MS);
    } catch {
      // Not under the test runner: a program, whose records end with it.
      process.on("exit", finish);
    }
  },
  atExit: (finish) => void process.on("exit", finish),
};

/** Other runtimes record nothing: their tests run as they are. */
const other: RunnerBehaviour = { ...deno, awaitsThenables: false, atEndOfFile() {} };

const BEHAVIOURS: Readonly<Record<RuntimeName, RunnerBehaviour>> = { deno, bun, unknown: other };

/** The behaviour of this runtime's test runner. */
export const runnerBehaviour: RunnerBehaviour = BEHAVIOURS[runtimeName()];
