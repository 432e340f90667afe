import { parseArgs, type ParseArgsConfig } from "node:util";
import { UsageError } from "./usage_error.ts";

type Options = NonNullable<ParseArgsConfig["options"]>;

/** A command's arguments: its options, its own operands, and the command behind `--`. */
export interface CommandLine<T extends Options> {
  readonly values: ReturnType<typeof parseArgs<{ options: T; allowPositionals: true }>>["values"];
  readonly operands: string[];
  /** What stands behind `--`, untouched. */
  readonly command: string[];
}

/** Parses `args` up to `--`; what is not in `options` is a {@linkcode UsageError}. */
export function parseCommandLine<T extends Options>(args: string[], options: T): CommandLine<T> {
  const end = args.indexOf("--");
  const own = end < 0 ? args : args.slice(0, end);
  try {
    const { values, positionals } = parseArgs({ args: own, options, allowPositionals: true });
    return { values, operands: positionals, command: end < 0 ? [] : args.slice(end + 1) };
  } catch (error) {
    // node:util's messages carry a second sentence about `--`; the first says what is wrong.
    const message = error instanceof TypeError ? error.message.split(". ")[0]! : String(error);
    throw new UsageError(message.replace(/\.$/, ""), { cause: error });
  }
}
