import {
  CAUSED_BY_TESTS,
  OriginFilter,
  type OriginName,
  parseOrigins,
} from "../coverage/origin_selection.ts";
import { KCOV_CALL_MASK, type OriginPcs } from "../kcov/origin.ts";
import { systemCallName } from "../kcov/system_calls.ts";
import type { Symbolizer } from "./symbolizer.ts";

/** Answers what made the kernel run points. */
export class OriginAnswers implements Pick<Symbolizer, "ranFrom" | "isCaused" | "callOf"> {
  readonly #machine: string;
  readonly #filters = new Map<OriginName | undefined, OriginFilter>();

  /** @param machine Whose numbers system calls are, as `uname -m` has it. */
  constructor(machine: string) {
    this.#machine = machine;
  }

  ranFrom(pcs: OriginPcs, origin: OriginName | undefined, threadsShared: boolean): OriginPcs {
    return this.#filter(origin).split(pcs, threadsShared).part;
  }

  isCaused(origin: number, threadsShared: boolean): boolean {
    return this.#filter(undefined).counts(origin, threadsShared);
  }

  #filter(origin: OriginName | undefined): OriginFilter {
    let filter = this.#filters.get(origin);
    if (filter === undefined) {
      const asked = origin === undefined ? CAUSED_BY_TESTS : parseOrigins([origin]);
      filter = new OriginFilter(this.#machine, { ...asked, restricts: origin !== undefined });
      this.#filters.set(origin, filter);
    }
    return filter;
  }

  callOf(origin: number): string {
    return systemCallName(this.#machine, origin & KCOV_CALL_MASK);
  }
}
