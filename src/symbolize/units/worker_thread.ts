/**
 * A second thread that takes one message and answers once. A web worker: starting one of `node:worker_threads` takes three
 * times as long in both runtimes.
 */
export class WorkerThread<Message, Answer> implements Disposable {
  /** What the thread answers; `undefined` where it could not be started or failed. */
  readonly answer: Promise<Answer | undefined>;
  readonly #worker: Worker;

  /** @param module To run, which calls {@linkcode answerOnce}. */
  constructor(module: URL) {
    const { promise, resolve } = Promise.withResolvers<Answer | undefined>();
    this.answer = promise;
    this.#worker = new Worker(module, { type: "module" });
    this.#worker.onmessage = ({ data }) => resolve(data as Answer);
    this.#worker.onmessageerror = () => resolve(undefined);
    this.#worker.onerror = (event) => {
      // Else Deno ends the process.
      event.preventDefault();
      resolve(undefined);
    };
  }

  post(message: Message): void {
    this.#worker.postMessage(message);
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}

/** What a worker finds in its global scope. */
interface WorkerScope {
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
}

/**
 * In the second thread: waits for the message.
 *
 * @param act Makes the answer, and names the buffers that go with it without a copy; `undefined` gives none.
 */
export function answerOnce<Message, Answer>(
  act: (message: Message) => { answer: Answer; transfer: ArrayBuffer[] } | undefined,
): void {
  const scope = globalThis as unknown as WorkerScope;
  scope.onmessage = ({ data }) => {
    scope.onmessage = null;
    const done = act(data as Message);
    if (done !== undefined) scope.postMessage(done.answer, done.transfer);
  };
}
