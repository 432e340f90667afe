import type { HelpForm, HelpOption } from "./help_text.ts";

/** What a shell completes a value with. */
type ValueKind = "folders" | "files" | "none";

function kindOf({ value = "" }: HelpOption): ValueKind {
  if (/\bDIR\b/.test(value)) return "folders";
  return /FILE|PATH|FRAGMENT|PATCH|NAME/.test(value) ? "files" : "none";
}

/** First words of all forms, each once. */
function firstWords(forms: readonly HelpForm[]): HelpForm[] {
  return forms.filter(({ words }, at) =>
    forms.findIndex((form) => form.words[0] === words[0]) === at
  );
}

/** Second words of the forms with this first one. */
function secondWords(forms: readonly HelpForm[], first: string): string[] {
  return forms.filter(({ words }) => words[0] === first && words.length > 1).map(({ words }) =>
    words[1]!
  );
}

const PATH_COMMANDS = ["report", "merge", "symbolize", "which"];

/** A completion script for bash. */
export function bashCompletion(forms: readonly HelpForm[]): string {
  const first = firstWords(forms).map(({ words }) => words[0]);
  const options = forms.map(({ words, options }) =>
    `    ${pattern(words)}) options="${
      ["help", ...options.map(({ name }) => name)].map((name) => `--${name}`).join(" ")
    }" ;;\n`
  ).join("");
  const values = forms.flatMap(({ words, options }) =>
    options.filter(({ value }) => value !== undefined).map((option) => {
      const action = option.choices.length > 0
        ? `words="${option.choices.join(" ")}"`
        : `kind=${kindOf(option)}`;
      return `    ${pattern([...words, `--${option.name}`])}) ${action} ;;\n`;
    })
  ).join("");
  const seconds = first.map((word) => ({ word, second: secondWords(forms, word!) }))
    .filter(({ second }) => second.length > 0)
    .map(({ word, second }) => `      ${word}) words="${second.join(" ")}" ;;\n`).join("");
  return `# Completion of kernelcov for bash; made by kernelcov completion bash.
_kernelcov() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} at form= options= words= kind=none
  COMPREPLY=()
  for ((at = 1; at < COMP_CWORD; at++)); do
    # Behind -- is a command of another program.
    if [[ \${COMP_WORDS[at]} == -- ]]; then
      if declare -F _command_offset >/dev/null; then _command_offset $((at + 1)); else COMPREPLY=($(compgen -c -f -- "$cur")); fi
      return
    fi
  done
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W "${first.join(" ")} help version --help --version" -- "$cur"))
    return
  fi
  if ((COMP_CWORD == 2)); then
    case \${COMP_WORDS[1]} in
${seconds}      help) words="${first.join(" ")}" ;;
    esac
    if [[ $words ]]; then COMPREPLY=($(compgen -W "$words" -- "$cur")); return; fi
  fi
  case \${COMP_WORDS[1]} in
    ${
    first.filter((word) => secondWords(forms, word!).length > 0).join("|")
  }) form="\${COMP_WORDS[1]} \${COMP_WORDS[2]}" ;;
    *) form=\${COMP_WORDS[1]} ;;
  esac
  case "$form $prev" in
${values}    *) kind=no-value ;;
  esac
  if [[ $words ]]; then COMPREPLY=($(compgen -W "$words" -- "$cur")); return; fi
  case $kind in
    folders) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$cur")); return ;;
    files) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$cur")); return ;;
    none) return ;;
  esac
  case "$form" in
${options}  esac
  if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "$options" -- "$cur")); return; fi
  case \${COMP_WORDS[1]} in
    ${
    PATH_COMMANDS.join("|")
  }) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$cur")) ;;
  esac
}
complete -F _kernelcov kernelcov
`;
}

function pattern(words: readonly string[]): string {
  return `"${words.join(" ")}"`;
}

/** A completion script for zsh. */
export function zshCompletion(forms: readonly HelpForm[]): string {
  const first = firstWords(forms);
  const commands = first.map(({ words, about }) => `    ${quoted(`${words[0]}:${about}`)}\n`).join(
    "",
  );
  const cases = first.map(({ words: [word] }) => {
    const second = secondWords(forms, word!);
    if (second.length === 0) {
      return `    ${word}) _arguments -s ${
        argumentsOf(forms.find(({ words }) => words[0] === word)!)
      } ;;\n`;
    }
    const inner = forms.filter(({ words }) => words[0] === word).map((form) =>
      `        ${form.words[1]}) shift words; (( CURRENT-- )); _arguments -s ${
        argumentsOf(form)
      } ;;\n`
    ).join("");
    return `    ${word})
      if (( CURRENT == 2 )); then compadd ${second.join(" ")}; return; fi
      case $words[2] in
${inner}      esac ;;
`;
  }).join("");
  return `#compdef kernelcov
# Completion of kernelcov for zsh; made by kernelcov completion zsh.
_kernelcov() {
  local -a commands
  commands=(
${commands}  )
  if (( CURRENT == 2 )); then _describe command commands; return; fi
  # Behind -- is a command of another program.
  local separator=$words[(i)--]
  if (( separator < CURRENT )); then
    shift separator words; (( CURRENT -= separator )); _normal; return
  fi
  shift words; (( CURRENT-- ))
  case $words[1] in
${cases}    help) compadd ${first.map(({ words }) => words[0]).join(" ")} ;;
  esac
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _kernelcov "$@"; else compdef _kernelcov kernelcov; fi
`;
}

function argumentsOf({ words, options }: HelpForm): string {
  const specifications = options.map((option) => {
    const about = option.about.replace(/[[\]\\:]/g, "\\$&");
    const value = option.value === undefined
      ? ""
      : `=:${option.value.replace(/[:\\]/g, "\\$&")}:${zshAction(option)}`;
    return quoted(`*--${option.name}${value.slice(0, 1)}[${about}]${value.slice(1)}`);
  });
  const rest = PATH_COMMANDS.includes(words[0]!) ? ["'*:file:_files'"] : [];
  return ["'--help[its options]'", ...specifications, ...rest].join(" ");
}

function zshAction(option: HelpOption): string {
  if (option.choices.length > 0) return `(${option.choices.join(" ")})`;
  const kind = kindOf(option);
  return kind === "folders" ? "_files -/" : kind === "files" ? "_files" : " ";
}

/** A completion script for fish. */
export function fishCompletion(forms: readonly HelpForm[]): string {
  const first = firstWords(forms);
  const lines = [
    "# Completion of kernelcov for fish; made by kernelcov completion fish.",
    "complete -c kernelcov -f",
  ];
  for (const { words, about } of first) {
    lines.push(`complete -c kernelcov -n __fish_use_subcommand -a ${words[0]} -d ${quoted(about)}`);
  }
  for (const { words: [word] } of first) {
    const second = secondWords(forms, word!);
    if (second.length === 0) continue;
    const condition = `__fish_seen_subcommand_from ${word}; and not __fish_seen_subcommand_from ${
      second.join(" ")
    }`;
    lines.push(`complete -c kernelcov -n ${quoted(condition)} -a ${quoted(second.join(" "))}`);
  }
  for (const { words, options } of forms) {
    const condition = quoted(
      words.map((word) => `__fish_seen_subcommand_from ${word}`).join("; and "),
    );
    for (const option of options) {
      const { name, value, choices, about } = option;
      const kind = kindOf(option);
      const taken = value === undefined
        ? ""
        : choices.length > 0
        ? ` -x -a ${quoted(choices.join(" "))}`
        : kind === "folders"
        ? " -x -a '(__fish_complete_directories)'"
        : kind === "files"
        ? " -r -F"
        : " -x";
      lines.push(`complete -c kernelcov -n ${condition} -l ${name}${taken} -d ${quoted(about)}`);
    }
    if (PATH_COMMANDS.includes(words[0]!)) lines.push(`complete -c kernelcov -n ${condition} -F`);
  }
  return `${lines.join("\n")}\n`;
}

/** A word for zsh or fish. */
function quoted(text: string): string {
  return `'${text.replace(/['\\]/g, (character) => character === "'" ? `'\\''` : character)}'`;
}
