import { type Command, type CommandEntry, type Options, optionsOf } from "../command_line.ts";

/** An option, by its table and by what the help text says of it. */
export interface HelpOption {
  /** Without its dashes. */
  readonly name: string;
  /** What its value is called, such as `FILE` or `thread|tree`; `undefined` where it takes none. */
  readonly value: string | undefined;
  /** The values that there are, where they are listed. */
  readonly choices: readonly string[];
  /** The first words about it; may be empty. */
  readonly about: string;
}

/** A command, or a form of it that has options of its own, such as `kernel build`. */
export interface HelpForm {
  /** What its command line begins with, behind the program's name. */
  readonly words: readonly string[];
  readonly about: string;
  readonly options: readonly HelpOption[];
}

/** A row of a help text: an option or an operand, and what it does. */
interface HelpRow {
  readonly term: string;
  readonly text: string;
}

/** A part of a help text: the command lines that it explains, and its paragraph and rows. */
export interface HelpPart {
  readonly usages: readonly string[];
  readonly paragraph: string;
  readonly rows: readonly HelpRow[];
}

const ROW = /^ {4}(\S.*?) {2,}(\S.*)$/;
/** One whose option is too long for its column. */
const TIGHT_ROW = /^ {4}(--[a-z][\w-]* [^\s:]*[A-Z|][^\s:]*) (\S.*)$/;

/** The parts of a command's help text. */
export function helpParts(help: string): HelpPart[] {
  const parts: { usages: string[]; paragraph: string; rows: { term: string; text: string }[] }[] =
    [];
  let open = false;
  for (const line of help.trimEnd().split("\n")) {
    if (!line.startsWith(" ")) {
      if (!open) parts.push({ usages: [], paragraph: "", rows: [] });
      parts.at(-1)!.usages.push(line);
      open = true;
      continue;
    }
    const part = parts.at(-1)!;
    const row = ROW.exec(line) ?? TIGHT_ROW.exec(line);
    if (/^ {15,}\S/.test(line) && part.paragraph === "" && part.rows.length === 0) {
      part.usages[part.usages.length - 1] += ` ${line.trim()}`;
      continue;
    }
    open = false;
    if (row !== null && isTerm(row[1]!)) {
      part.rows.push({ term: row[1]!, text: row[2]! });
    } else if (/^ {5,}/.test(line) && part.rows.length > 0) {
      part.rows.at(-1)!.text += ` ${line.trim()}`;
    } else part.paragraph += `${part.paragraph === "" ? "" : " "}${line.trim()}`;
  }
  return parts;
}

/** Whether the left of a row is an option or the name of an operand, and not the first words of a paragraph. */
function isTerm(text: string): boolean {
  return /^--[a-z]/.test(text) || /^[A-Z][A-Z:]*(?:, [A-Z])*$/.test(text);
}

/** The commands and their forms, with the options that each takes. */
export async function helpForms(commands: readonly CommandEntry[]): Promise<HelpForm[]> {
  const forms: HelpForm[] = [];
  for (const { name, summary, load } of commands) {
    const command = await load();
    const words = formsOf(name, command);
    if (words.length === 0) forms.push(await formOf(command, [name], summary));
    for (const word of words) forms.push(await formOf(command, [name, word], summary));
  }
  return forms;
}

/** The words that a command wants first, where its help begins with a list of them. */
function formsOf(name: string, { help }: Command): string[] {
  const [usage] = help.split("\n");
  const list = new RegExp(`^kernelcov ${name} ([a-z]+(?:\\|[a-z]+)+)$`).exec(usage!);
  return list === null ? [] : list[1]!.split("|");
}

async function formOf(command: Command, words: string[], about: string): Promise<HelpForm> {
  const options = await optionsOf(command, words.slice(1));
  return { words, about, options: helpOptions(command.help, options) };
}

/** The options of a table, with what the help text says of each. */
export function helpOptions(help: string, table: Options): HelpOption[] {
  return Object.entries(table).map(([name, { type }]) => {
    // In its own row first, else where it is named first.
    const found = new RegExp(`^ {4}--${name}(?![\\w-])(.*)$`, "m").exec(help) ??
      new RegExp(`--${name}(?![\\w-])(.*)$`, "m").exec(help);
    const rest = found?.[1] ?? "";
    if (type === "boolean") return { name, value: undefined, choices: [], about: firstWords(rest) };
    const [, value = "VALUE", about = ""] = /^[ =]([^\s\]]+)\]?(.*)$/.exec(rest) ?? [];
    const choices = /^[a-z]\w*(?:\|[a-z]\w*)+$/.test(value) ? value.split("|") : [];
    return { name, value, choices, about: firstWords(about) };
  });
}

/** A description in one line, up to where another thing begins. */
function firstWords(text: string): string {
  const [first] = text.replace(/^[\s:…\]]+/, "").split(/;|: |\. |\)|, --/);
  return first!.trim();
}
