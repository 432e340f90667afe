import { KcovUnavailableError } from "../errors.ts";
import type { CoverageFlags, KernelCoverage } from "./kernel_coverage.ts";
import { sayOncePerRun } from "../record/say_once.ts";

/**
 * Says once per run that there is no coverage and why.
 *
 * @param mode What `KERNELCOV` asks for.
 * @throws {KcovUnavailableError} Where that requires coverage.
 */
export function reportMissing(why: KcovUnavailableError, mode: string | undefined): void {
  if (mode === "require") throw why;
  if (mode !== "off") sayOncePerRun(`no kernel coverage: ${why.message}`);
}

/** Stands for coverage where there is none. */
export class MissingCoverage implements KernelCoverage {
  readonly available: boolean = false;
  readonly name: string;
  readonly record: CoverageFlags = { truncated: false, shared: false, callingThreadOnly: false };
  readonly #why: KcovUnavailableError;

  constructor(name: string, why: KcovUnavailableError) {
    this.name = name;
    this.#why = why;
  }

  end(): void {}

  markAsynchronous(): void {}

  [Symbol.dispose](): void {}

  pcs(): never {
    return this.#refuse();
  }

  reached(_functionName: string): never {
    return this.#refuse();
  }

  hits(_functionName: string): never {
    return this.#refuse();
  }

  functions(): never {
    return this.#refuse();
  }

  lines(_file: string): never {
    return this.#refuse();
  }

  #refuse(): never {
    const { reason, message } = this.#why;
    throw new KcovUnavailableError(
      reason,
      `Cannot tell what the kernel ran: ${message}`,
      { cause: this.#why },
    );
  }
}
