/**
 * Runs the commands of README.md, CONTRIBUTING.md and docs/, as a reader would: blocks of `sh`, and lines that begin with `$ `.
 * Each block runs by itself, in a new folder with the packed kernelcov, the README's first example as pipe_test.ts, and the
 * examples of its own page whose first line is their name (`// fifo_test.ts`, `# dm.config`); with `kernelcov`, `deno` and `bun` on the PATH, and
 * a home folder of its own. A comment above a block says otherwise; with `; ` between them it says several things:
 *
 *     <!-- run in: checkout -->      in a checkout
 *     <!-- commands: deno -->        tests/project/packed_package_test.ts runs it
 *     <!-- with --all: REASON -->    only with --all, as it takes long or needs a registry
 *     <!-- not run: REASON -->       never
 *
 * Usage: `npm run check:documents [-- --all] [DOCUMENT…]`; exit status 1 where a block failed.
 */
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import { pack } from "../pack.ts";

const root = join(import.meta.dirname!, "../..");
const LIMIT_MS = 30 * 60_000;

/** A block of commands. */
export interface CommandBlock {
  /** Document and line, such as `README.md:53`. */
  readonly place: string;
  readonly script: string;
  /** What its comment says, such as `run in: checkout`. */
  readonly comments: readonly string[];
}

/** The command blocks of a document. */
export function commandBlocks(document: string, text: string): CommandBlock[] {
  const blocks: CommandBlock[] = [];
  const lines = text.split("\n");
  let comments: string[] = [];
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!.trim();
    const said = /^<!-- (.*) -->$/.exec(line);
    if (said !== null) comments = said[1]!.split("; ");
    else if (line.startsWith("```")) {
      const start = at;
      const end = lines.findIndex((other, i) => i > start && other.trim() === "```");
      const body = lines.slice(start + 1, end).map((other) => other.trim());
      at = end;
      // A terminal's text: what was typed, without what it answered.
      const typed = body.filter((other) => other.startsWith("$ ")).map((other) => other.slice(2));
      const script = line === "```sh" ? body : line === "```" ? typed : [];
      if (script.length > 0) {
        blocks.push({ place: `${document}:${start + 1}`, script: script.join("\n"), comments });
      }
      comments = [];
    } else if (line !== "") comments = [];
  }
  return blocks;
}

/** The tests and configurations of a document that name their file in the first line, by that name. */
export function namedExamples(text: string): Map<string, string> {
  const examples = text.matchAll(/^```\w*\n(?:\/\/|#) (\w+_test\.ts|\w+\.config)\n[^]*?^```$/gm);
  return new Map(
    [...examples].map((
      [block, name],
    ) => [name!, block.slice(block.indexOf("\n") + 1, -"```".length)]),
  );
}

/** The documents whose commands are run, by their paths in the project. */
export function documents(): string[] {
  const pages = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md")).sort();
  return [
    "README.md",
    "CONTRIBUTING.md",
    ...pages.map((name) => `docs/${name}`),
    "cookbook/README.md",
    "src/build/recipe/README.md",
  ];
}

class Reader implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "kernelcov-documents-"));
  readonly #bin = join(this.#folder, "bin");
  readonly #home = join(this.#folder, "home");
  readonly #packed: string;

  constructor() {
    mkdirSync(this.#bin);
    mkdirSync(this.#home);
    symlinkSync(join(root, "src/cli/kernelcov"), join(this.#bin, "kernelcov"));
    for (const name of ["deno", "bun"]) {
      symlinkSync(join(root, "node_modules/.bin", name), join(this.#bin, name));
    }
    // A user of the machine may run these without a password.
    writeFileSync(join(this.#bin, "sudo"), '#!/bin/sh\nexec "$@"\n', { mode: 0o755 });
    this.#packed = pack(this.#folder);
  }

  /** Runs a block; `undefined` where it succeeded, else what it printed. */
  run({ place, script, comments }: CommandBlock): string | undefined {
    const cwd = comments.includes("run in: checkout")
      ? root
      : this.#project(place.slice(0, place.lastIndexOf(":")));
    const { status, stdout, stderr } = spawnSync("bash", ["-ec", script], {
      cwd,
      encoding: "utf8",
      timeout: LIMIT_MS,
      maxBuffer: 2 ** 28,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...process.env,
        NO_COLOR: "1",
        HOME: this.#home,
        XDG_CACHE_HOME: process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"),
        PATH: `${this.#bin}${delimiter}${process.env.PATH}`,
      },
    });
    return status === 0 ? undefined : `${stdout}${stderr}`.slice(-3000);
  }

  /** A new folder, as the project of a document's reader is. */
  #project(document: string): string {
    const folder = mkdtempSync(join(this.#folder, "project-"));
    for (const page of ["README.md", document]) {
      const examples = namedExamples(readFileSync(join(root, page), "utf8"));
      for (const [name, example] of examples) writeFileSync(join(folder, name), example);
    }
    writeFileSync(
      join(folder, "deno.json"),
      JSON.stringify({ imports: { kernelcov: join(root, "mod.ts") } }),
    );
    copyFileSync(this.#packed, join(folder, "kernelcov-0.1.0.tgz"));
    return folder;
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true });
  }
}

if (import.meta.main) {
  process.env.PATH = `${join(root, "node_modules/.bin")}${delimiter}${process.env.PATH}`;
  const all = process.argv.includes("--all");
  const asked = process.argv.slice(2).filter((argument) => argument !== "--all");
  const counts = { ran: 0, failed: 0, left: 0 };
  using reader = new Reader();
  for (const document of asked.length > 0 ? asked : documents()) {
    const text = readFileSync(join(root, document), "utf8");
    for (const block of commandBlocks(document, text)) {
      const { place, comments } = block;
      const left = all ? /^(?:not run|commands): / : /^(?:not run|commands|with --all): /;
      const reason = comments.find((comment) => left.test(comment));
      if (reason !== undefined) {
        console.log(`left    ${place}  ${reason}`);
        counts.left++;
        continue;
      }
      const start = performance.now();
      const output = reader.run(block);
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      console.log(`${output === undefined ? "ok    " : "FAILED"}  ${place}  ${seconds} s`);
      counts.ran++;
      if (output === undefined) continue;
      counts.failed++;
      console.log(`${block.script}\n${output}`);
    }
  }
  console.log(`documents: ${counts.ran} blocks ran, ${counts.failed} failed, ${counts.left} left`);
  process.exitCode = counts.failed === 0 ? 0 : 1;
}
