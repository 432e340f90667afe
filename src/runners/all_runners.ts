import { bunRunner } from "./bun/runner.ts";
import { denoRunner } from "./deno/runner.ts";
import type { Runner } from "./runner.ts";

/** The runners whose tests can be covered. */
export const RUNNERS: readonly Runner[] = [denoRunner, bunRunner];
