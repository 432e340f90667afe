/** How an image is linked, as the kernel's own script did it last. All commands are for a shell. */
export interface LinkSteps {
  /** Links `vmlinux`. */
  readonly link: string;
  /** Prints the symbols of `vmlinux` as the table of symbols is made from them. */
  readonly symbols: string;
  /** How the table of symbols that `vmlinux` has is made; absent where it has none. */
  readonly table?: SymbolTableSteps;
  /** What is done to `vmlinux` afterwards. */
  readonly finish: readonly string[];
}

/** How the kernel's own table of symbols is made. */
export interface SymbolTableSteps {
  /** Prints it as assembly; the file of symbols follows, or is its standard input. */
  readonly print: string;
  readonly takesFile: boolean;
  readonly assembly: string;
  /** Assembles it. */
  readonly assemble: string;
}

/**
 * Reads how `vmlinux` was linked from the output of `make V=1`, which shows each command of the script
 * behind a `+`.
 *
 * @returns `undefined` where nothing was linked, or by steps that cannot be repeated one by one.
 */
export function linkSteps(log: string): LinkSteps | undefined {
  const commands = log.split("\n").filter((line) => line.startsWith("+ "))
    .map((line) => line.slice(2));
  const at = commands.findLastIndex((line) => / -o vmlinux(?: |$)/.test(line));
  if (at < 0) return undefined;
  const link = commands[at];
  // Type information is made of an image and linked into the next: only the whole of it is right.
  if (commands.some((line) => /(?:^|\/)(?:pahole|resolve_btfids) /.test(line))) return undefined;
  // The trace shows no quotes: words of one argument could not be told from others.
  if (/["'$`\\;&|<>()*?]/.test(link)) return undefined;
  const object = /(?:^| )(\S*kallsyms\S*\.o)(?= |$)/.exec(link)?.[1];
  const symbols = symbolsCommand(commands);
  if (symbols === undefined) return undefined;
  const sorts = commands.slice(at).filter((line) => /(?:^|\/)sorttable /.test(line));
  // Newer ones are told the symbols by a file that they share with another step.
  if (sorts.some((line) => !/^\S*sorttable vmlinux$/.test(line))) return undefined;
  const steps = {
    link,
    symbols,
    finish: sorts,
  };
  if (object === undefined) return steps;
  const assembly = object.replace(/\.o$/, ".S");
  const assemble = commands.findLast((line) => line.endsWith(` -c -o ${object} ${assembly}`));
  const print = commands.findLast((line) => /^\S*scripts\/kallsyms(?: |$)/.test(line));
  if (assemble === undefined || print === undefined) return undefined;
  const words = print.split(" ");
  const takesFile = words.length > 1 && !words.at(-1)!.startsWith("-");
  return {
    ...steps,
    table: {
      print: (takesFile ? words.slice(0, -1) : words).join(" "),
      takesFile,
      assembly,
      assemble,
    },
  };
}

function symbolsCommand(commands: readonly string[]): string | undefined {
  const nm = commands.findLast((line) => /^\S*nm -n vmlinux$/.test(line));
  const sed = commands.findLast((line) => /^sed -f \S*mksysmap$/.test(line));
  if (nm !== undefined) return sed === undefined ? nm : `${nm} | ${sed}`;
  // As in 6.1: a script of its own, which make gives the name of nm and whose commands are not shown.
  const script = commands.findLast((line) => /^\S*sh \S*mksysmap vmlinux System\.map$/.test(line));
  if (script === undefined) return undefined;
  const isLlvm = commands.some((line) => /(?:^| )clang .* -o vmlinux /.test(line));
  return `NM=${isLlvm ? "llvm-nm" : "nm"} ${script.replace(/ System\.map$/, " /dev/stdout")}`;
}
