import { fileURLToPath } from "node:url";
import type { RunnerProgram } from "../tracer/runners/runner_arguments.ts";
import type { SupervisorRuntime } from "../tracer/supervised_command.ts";

/** A test runner whose tests a preload covers: all that differs between runners outside of the tests' own process. */
export interface Runner extends RunnerProgram {
  /** As records have it too. */
  readonly name: string;
  /** The runtime that its program is, where that supervises its tests itself: where it starts faster than others. */
  readonly supervisor?: SupervisorRuntime["name"];
  /** Arguments that have it write its report, in the JUnit format, to `path` in addition to its output. */
  reportArguments(path: string): string[];
  /** Finds arguments that ask for a report already, where it writes one at most. */
  readonly reportArgument: RegExp;
  /** What its filter sees of a test's full name. */
  filterName(name: string): string;
  /** Arguments that have it run only the tests whose name a regular expression matches. */
  filterArguments(pattern: string): string[];
}

/** Path of the preload that lies beside the module of this URL. */
export function preloadBeside(url: string): string {
  return fileURLToPath(new URL(`./preload.${url.endsWith(".ts") ? "ts" : "js"}`, url));
}
