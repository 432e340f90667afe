import { parseArgs, type ParseArgsConfig } from "node:util";
import process from "node:process";

/** Exit statuses besides a test command's own. */
export const EXIT_USAGE = 2;
export const EXIT_NO_COVERAGE = 3;
export const EXIT_BELOW_THRESHOLD = 4;

/** The command line is wrong: one line that says what to change, and exit status 2. */
export class UsageError extends TypeError {
  override readonly name = "UsageError";
}

/** A command of `kernelcov`. */
export interface Command {
  /** What `--help` prints: every form and option. */
  readonly help: string;
  /** Runs it with the arguments after its name, and returns the exit status. */
  run(args: string[]): number | Promise<number>;
}

type Options = NonNullable<ParseArgsConfig["options"]>;

/** Values of options, each as its definition says. */
export type OptionValues<T extends Options> = {
  readonly [Name in keyof T]?:
    | (T[Name] extends { multiple: true } ? string[]
      : T[Name] extends { type: "boolean" } ? boolean
      : string)
    | undefined;
};

/** A command's arguments: its options, its own operands, and the command after `--`. */
export interface CommandLine<T extends Options> {
  readonly values: ReturnType<typeof parseArgs<{ options: T; allowPositionals: true }>>["values"];
  readonly operands: string[];
  /** What follows `--`, unchanged. */
  readonly command: string[];
}

/** Parses `args` up to `--`; what is not in `options` is a {@linkcode UsageError}. */
export function parseCommandLine<T extends Options>(args: string[], options: T): CommandLine<T> {
  const [own, command] = splitArguments(args);
  try {
    const { values, positionals } = parseArgs({ args: own, options, allowPositionals: true });
    return { values, operands: positionals, command };
  } catch (error) {
    // node:util's messages carry a second sentence about `--`; the first says what is wrong.
    const message = error instanceof TypeError ? error.message.split(". ")[0] : String(error);
    throw new UsageError(message.replace(/\.$/, ""), { cause: error });
  }
}

/** A command line's own arguments, and the command after `--`. */
export function splitArguments(args: readonly string[]): [own: string[], command: string[]] {
  const end = args.indexOf("--");
  return end < 0 ? [[...args], []] : [args.slice(0, end), args.slice(end + 1)];
}

/**
 * The command after `--`, of a command line without operands.
 *
 * @param what such as `test command`
 * @throws {UsageError} There is none, or there are operands.
 */
export function commandToRun(
  { operands: [operand], command }: { readonly operands: string[]; readonly command: string[] },
  what: string,
): string[] {
  if (operand !== undefined) {
    throw new UsageError(`Unexpected "${operand}": put the command after --`);
  }
  if (command.length === 0) throw new UsageError(`There is no ${what}: put it after --`);
  return command;
}

/** Prints a line of kernelcov's own on standard error. */
export function warn(line: string): void {
  process.stderr.write(`kernelcov: ${line}\n`);
}
