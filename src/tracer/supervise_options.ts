import { parseArgs } from "node:util";
import type { KcovMode } from "../kcov/kcov_device.ts";

/** What the supervisor's process is to do. */
export interface SuperviseOptions {
  /** The command and its arguments. */
  readonly command: readonly string[];
  /** Where the records go. */
  readonly runDirectory: string;
  /** `auto`: each point once where the kernel can, else every hit. */
  readonly mode: KcovMode | "auto";
  /** Size of a KCOV buffer in words; by default what suits the mode. */
  readonly words?: number | undefined;
  /** One record of the whole command, instead of one of what runs outside its tests. */
  readonly record: boolean;
}

const OPTIONS = {
  run: { type: "string" },
  mode: { type: "string" },
  words: { type: "string" },
  record: { type: "boolean" },
} as const;

/** The arguments that {@linkcode parseSuperviseArguments} reads. */
export function superviseArguments(options: SuperviseOptions): string[] {
  return [
    `--run=${options.runDirectory}`,
    `--mode=${options.mode}`,
    ...(options.words === undefined ? [] : [`--words=${options.words}`]),
    ...(options.record ? ["--record"] : []),
    "--",
    ...options.command,
  ];
}

/**
 * Reads the arguments of the supervisor's process.
 *
 * @throws {TypeError} Where they are not as `superviseArguments` makes them.
 */
export function parseSuperviseArguments(args: readonly string[]): SuperviseOptions {
  const end = args.indexOf("--");
  const { values } = parseArgs({ args: args.slice(0, Math.max(end, 0)), options: OPTIONS });
  const { run, mode = "auto", words, record = false } = values;
  if (end < 0 || end + 1 === args.length || run === undefined) {
    throw new TypeError("Cannot supervise: pass --run=DIR, -- and a command");
  }
  if (mode !== "auto" && mode !== "unique" && mode !== "trace") {
    throw new TypeError(`Cannot supervise in mode "${mode}": use auto, unique or trace`);
  }
  const command = args.slice(end + 1);
  const size = words === undefined ? undefined : Number(words);
  return { command, runDirectory: run, mode, words: size, record };
}
