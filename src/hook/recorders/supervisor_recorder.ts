import { say } from "../../record/say_once.ts";
import { environmentVariable, runtimeName } from "../../sys/runtime.ts";
import type { BoundaryClient } from "../../tracer/boundary/boundary_client.ts";
import type { RecordedPoints, Recorder, TestEnd, TestStart } from "./recorder.ts";
import { supervisorClient, threadTests } from "./supervisor_client.ts";

const NO_HITS = new Uint32Array(0);

/** A test that a supervisor records. Truncation is known when the record is written. */
interface SupervisedTest {
  readonly number: number;
  readonly name: string;
  readonly truncated: false;
  readonly shared: boolean;
  refused: boolean;
}

/** Has the supervisor of a command record: all threads and processes. */
export class SupervisorRecorder implements Recorder<SupervisedTest> {
  readonly hasHits = false;
  readonly hasSteps = true;
  readonly pausesFreely = false;
  readonly #client: BoundaryClient;

  constructor(client: BoundaryClient) {
    this.#client = client;
  }

  get mode(): Recorder["mode"] {
    return environmentVariable("KERNELCOV") === "require" ? "require" : "auto";
  }

  unavailable(): undefined {}

  prepare(): void {}

  /** Begins the record, last of all. A supervisor that does not answer is reported at the end. */
  begin({ identity, kind, around }: TestStart): SupervisedTest {
    const number = threadTests.next++;
    const shared = threadTests.left > 0;
    const test: SupervisedTest = {
      number,
      name: identity.name,
      truncated: false,
      get shared() {
        return threadTests.left > 0;
      },
      refused: false,
    };
    const answer = this.#client.send({
      do: "begin",
      test: number,
      ...identity,
      runner: runtimeName(),
      kind,
      startedAt: Date.now(),
      ...(around === undefined ? {} : { parent: (around as SupervisedTest).number }),
      ...(shared ? { shared } : {}),
    });
    test.refused = answer?.done === false;
    return test;
  }

  /** Ends the record, first of all: reading the clock is a system call of the test's thread. */
  end(test: SupervisedTest, { outcome, left }: TestEnd): undefined {
    const message = { do: "end", test: test.number, outcome } as const;
    // The number of a refused test is another's.
    if (test.refused || this.#client.send(message)?.done !== true) {
      say(`no record of test ${JSON.stringify(test.name)}: its supervisor does not answer`);
    }
    if (left === true) threadTests.left++;
  }

  returned(): void {
    threadTests.left--;
  }

  read({ number }: SupervisedTest): RecordedPoints | undefined {
    const pcs = this.#client.read(number);
    return pcs === null ? undefined : { pcs, hits: NO_HITS };
  }

  pause<Result>(action: () => Result): Result {
    this.#client.send({ do: "pause" });
    try {
      return action();
    } finally {
      this.#client.send({ do: "resume" });
    }
  }

  takesBaseline(): boolean {
    // Once for each process: Deno runs every file on a thread of its own, and a run needs its noise once.
    return this.#client.send({ do: "baseline" })?.done === true;
  }
}

/** The recorder of the calling thread's supervisor; `undefined` where it has none. */
export function supervisorRecorder(): SupervisorRecorder | undefined {
  const client = supervisorClient();
  return client === null ? undefined : new SupervisorRecorder(client);
}
