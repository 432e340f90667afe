import { SyscallError } from "../../errors.ts";
import { KcovDevice } from "../../kcov/kcov_device.ts";
import type { TraceOrder } from "../../kcov/trace_order.ts";
import { say } from "../../record/say_once.ts";

/** A test, as its recorder knows it. */
interface NamedTest {
  readonly begun: { readonly name: string };
}

/**
 * The order in which a test's thread runs points, where a collector records the test: a collector stores each point once,
 * so the thread has a device of its own beside it. One for all tests of a thread, which take it in turn.
 */
export class ThreadOrder {
  readonly #words: number | undefined;
  #device: KcovDevice | undefined;
  #owner: NamedTest | undefined;
  #lost: string | undefined;

  /** @param words Size of its buffer; the device's default where absent. */
  constructor(words: number | undefined) {
    this.#words = words;
  }

  /** Begins to record for a test, where no other has it. The last thing that it does is to empty the buffer. */
  begin(test: NamedTest): void {
    const { name } = test.begun;
    if (this.#owner === test) return;
    if (this.#owner !== undefined) {
      this.#lost ??= `of test ${JSON.stringify(name)}: that of another was kept at the time`;
      return;
    }
    try {
      this.#device ??= KcovDevice.open(this.#words === undefined ? {} : { words: this.#words });
      this.#device.enable();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#lost ??= `of test ${JSON.stringify(name)}: ${why}`;
      return;
    }
    this.#owner = test;
    this.#device.reset();
  }

  /** Runs `action`; what the thread does meanwhile is not in the order. */
  pause<Result>(action: () => Result): Result {
    return this.#device === undefined ? action() : this.#device.pause(action);
  }

  /**
   * Ends it: first of all where the test has it.
   *
   * @returns What makes an order of the record's PCs; `undefined` where the test has none.
   */
  end(test: NamedTest): ((pcs: Float64Array) => TraceOrder) | undefined {
    const device = this.#device;
    if (device === undefined || this.#owner !== test) return undefined;
    const count = device.count();
    this.#owner = undefined;
    try {
      device.disable();
    } catch (error) {
      // The test has closed the device. What it recorded is in memory all the same; the next test will tell.
      if (!(error instanceof SyscallError)) throw error;
    }
    return (pcs) => device.order(0, count, pcs);
  }

  /** Closes the device, and says the first order that was lost. */
  close(): void {
    const device = this.#device, lost = this.#lost;
    this.#device = this.#owner = this.#lost = undefined;
    try {
      device?.close();
    } catch {
      // A test has closed it.
    }
    if (lost !== undefined) say(`no order of points ${lost}`);
  }
}
