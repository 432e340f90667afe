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

/** A command as the list of all commands has it. */
export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  /** It calls the kernel, for which Node.js has no means. */
  readonly needsLibc?: true;
  /** Imported on use: `symbolize` should not pay for the embedded kernel's code. */
  readonly load: () => Promise<Command>;
}

/** A table of options, as `parseArgs` of `node:util` takes it. */
export type Options = NonNullable<ParseArgsConfig["options"]>;

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

/** In the place of a command's last argument: its table of options is wanted. No argument has this character. */
const ASK = "\0options";

/** What is thrown then, by {@linkcode parseCommandLine}. */
class AskedOptions {
  constructor(readonly options: Options) {}
}

/**
 * The options that a command parses its arguments with; it does nothing else.
 *
 * @param form its first arguments, where the options depend on them: `["build"]` of `kernel`
 */
export async function optionsOf(command: Command, form: readonly string[] = []): Promise<Options> {
  try {
    await command.run([...form, ASK]);
  } catch (thrown) {
    if (thrown instanceof AskedOptions) return thrown.options;
    throw thrown;
  }
  throw new TypeError("The command does not parse its arguments with parseCommandLine: let it");
}

/** Parses `args` up to `--`; what is not in `options` is a {@linkcode UsageError}. */
export function parseCommandLine<T extends Options>(args: string[], options: T): CommandLine<T> {
  if (args.at(-1) === ASK) throw new AskedOptions(options);
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
