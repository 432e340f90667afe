import process from "node:process";
import { type Command, type CommandEntry, parseCommandLine, UsageError } from "../command_line.ts";
import { helpForms } from "./help_text.ts";
import { bashCompletion, fishCompletion, zshCompletion } from "./completion_scripts.ts";

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

/** `kernelcov completion SHELL`. */
export function completionCommand(commands: readonly CommandEntry[]): Command {
  return {
    help: `kernelcov completion bash|zsh|fish
    Prints a script that completes commands and options of kernelcov in this shell. It is made of what --help shows.
    kernelcov completion bash >~/.local/share/bash-completion/completions/kernelcov
    kernelcov completion zsh >~/.zfunc/_kernelcov, a folder of fpath
    kernelcov completion fish >~/.config/fish/completions/kernelcov.fish
`,
    run: (args) => run(args, commands),
  };
}

async function run(args: string[], commands: readonly CommandEntry[]): Promise<number> {
  const { operands: [shell, extra], command } = parseCommandLine(args, {});
  const unexpected = extra ?? command[0];
  if (unexpected !== undefined) throw new UsageError(`Unexpected "${unexpected}": leave it out`);
  if (shell !== "bash" && shell !== "zsh" && shell !== "fish") {
    throw new UsageError(
      `${
        shell === undefined ? "There is no shell" : `Unknown shell "${shell}"`
      }: use bash, zsh or fish`,
    );
  }
  process.stdout.write(SHELLS[shell](await helpForms(commands)));
  return 0;
}
