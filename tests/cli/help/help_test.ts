import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { helpOptions, helpParts } from "../../../src/cli/help/help_text.ts";
import { printedBy } from "./printed_by.ts";

const SLOW = { timeout: 60_000 };
const folder = mkdtempSync(join(tmpdir(), "kernelcov-help-"));
after(() => rmSync(folder, { recursive: true }));

/** Standard output of `kernelcov` with these arguments. */
const printed = (...args: string[]): string => printedBy(args);
const commands = [...printed("--help").matchAll(/^ {2}(\w+) {2,}/gm)].map(([, name]) => name!);
/** First words of the forms that have options of their own. */
const FORMS = commands.flatMap((name) => {
  const [, words] = new RegExp(`^kernelcov ${name} ([a-z]+(?:\\|[a-z]+)+)$`, "m")
    .exec(printed("help", name)) ?? [];
  return words === undefined ? [[name]] : words.split("|").map((word) => [name, word]);
});

/** What bash offers behind these words; the last is begun. */
function bashOffers(...words: string[]): string[] {
  const script = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _kernelcov
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const file = join(folder, "bash");
  writeFileSync(file, printed("completion", "bash"));
  const output = execFileSync("bash", ["-c", script, "bash", file, "kernelcov", ...words], {
    encoding: "utf8",
    cwd: folder,
  });
  return output.trim().split("\n").sort();
}

/** What fish offers behind a line. */
function fishOffers(line: string): string[] {
  const file = join(folder, "fish");
  writeFileSync(file, printed("completion", "fish"));
  const script = `source ${file}; complete -C '${line}'`;
  const output = execFileSync("fish", ["--no-config", "-c", script], {
    encoding: "utf8",
    cwd: folder,
    env: { ...process.env, HOME: folder },
  });
  return output.trim().split("\n").map((offer) => offer.split("\t")[0]!).sort();
}

test("a shell completes commands, their forms, options and values", SLOW, () => {
  assert.deepEqual(bashOffers("sh"), ["show"]);
  assert.deepEqual(bashOffers("kernel", "pr"), ["prune"]);
  assert.deepEqual(bashOffers("test", "--sc"), ["--scope"]);
  assert.deepEqual(bashOffers("test", "--scope", ""), ["thread", "tree"]);
  assert.deepEqual(bashOffers("kernel", "list", "--"), ["--help", "--json"]);
  assert.deepEqual(bashOffers("completion", ""), ["bash", "fish", "zsh"]);
  writeFileSync(join(folder, "a_run"), "");
  assert.deepEqual(bashOffers("report", "a_"), ["a_run"]);
  assert.ok(bashOffers("test", "--", "dat").includes("date"));

  assert.deepEqual(fishOffers("kernelcov sh"), ["show"]);
  assert.deepEqual(fishOffers("kernelcov kernel pr"), ["prune"]);
  assert.deepEqual(fishOffers("kernelcov test --sc"), ["--scope"]);
  assert.deepEqual(fishOffers("kernelcov test --scope t"), ["thread", "tree"]);
});

test("zsh reads its script, which has every command and option", SLOW, () => {
  const file = join(folder, "_kernelcov");
  const script = printed("completion", "zsh");
  writeFileSync(file, script);
  const load =
    `autoload -U compinit; compinit -u -d ${folder}/dump; source ${file}; whence -w _kernelcov`;
  const { stdout, stderr } = spawnSync("zsh", ["-fc", load], { encoding: "utf8" });
  assert.equal(stderr, "");
  assert.match(stdout, /_kernelcov: function/);
  for (const name of commands) assert.match(script, new RegExp(`^    '${name}:`, "m"));
  for (const option of optionsOffered(["test"])) assert.ok(script.includes(`*${option}`), option);
});

function optionsOffered(form: readonly string[]): string[] {
  return bashOffers(...form, "--").filter((option) => option !== "--help");
}

test("every option that a command takes is in its help", SLOW, () => {
  for (const form of FORMS) {
    const help = printed("help", form[0]!);
    for (const option of optionsOffered(form)) {
      assert.match(help, new RegExp(`${option}(?![\\w-])`), `${form.join(" ")} ${option}`);
    }
  }
});

test("every option that has a row in a command's help is one that it takes", SLOW, () => {
  for (const name of commands) {
    const taken = new Set(FORMS.filter(([first]) => first === name).flatMap(optionsOffered));
    for (const [, option] of printed("help", name).matchAll(/^ {4}(--[a-z][\w-]*)/gm)) {
      assert.ok(taken.has(option!), `${name} ${option}`);
    }
  }
});

test("the manual page has each command with its rows, and mandoc finds no fault", SLOW, () => {
  const page = printed("man");
  const file = join(folder, "kernelcov.1");
  writeFileSync(file, page);
  const lint = spawnSync("mandoc", ["-T", "lint", "-W", "warning", file], { encoding: "utf8" });
  const faults = lint.stdout.split("\n").filter((line) =>
    line !== "" && !/missing date/.test(line)
  );
  assert.deepEqual(faults, []);
  const text = execFileSync("mandoc", ["-T", "utf8", "-O", "width=1000", file], {
    encoding: "utf8",
  })
    .replaceAll(new RegExp(`.${String.fromCharCode(8)}`, "g"), "");
  for (const name of commands) {
    assert.match(text, new RegExp(`^ +${name}$`, "m"));
    for (const [, option] of printed("help", name).matchAll(/^ {4}(--[a-z][\w-]*)/gm)) {
      assert.match(text, new RegExp(`^ +${option}`, "m"), `${name} ${option}`);
    }
  }
});

test("a help text has parts, paragraphs and rows", () => {
  const parts = helpParts(`kernelcov made up
kernelcov made [--of PARTS]
               [--and MORE] -- COMMAND…
    A paragraph that
    goes on.
    NAME        an operand
    --of PARTS  what it is of: one; --and MORE too
                on two lines
`);
  assert.deepEqual(parts, [{
    usages: ["kernelcov made up", "kernelcov made [--of PARTS] [--and MORE] -- COMMAND…"],
    paragraph: "A paragraph that goes on.",
    rows: [
      { term: "NAME", text: "an operand" },
      { term: "--of PARTS", text: "what it is of: one; --and MORE too on two lines" },
    ],
  }]);
  const help = "    --scope thread|tree   whose calls: own\n    --of PARTS  what\n";
  const table = { scope: { type: "string" }, of: { type: "string" } } as const;
  assert.deepEqual(helpOptions(help, table), [
    { name: "scope", value: "thread|tree", choices: ["thread", "tree"], about: "whose calls" },
    { name: "of", value: "PARTS", choices: [], about: "what" },
  ]);
});
