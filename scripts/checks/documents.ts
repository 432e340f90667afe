/**
 * Runs the commands of README.md, CONTRIBUTING.md and docs/, as a reader would: blocks of `sh`, and lines that begin with `$ `.
 * Each block runs by itself, in a new folder with the README's first example as pipe_test.ts and the packed kernelcov,
 * `kernelcov`, `deno` and `bun` on the PATH, and a home folder of its own. A comment above a block says otherwise:
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
  /** What its comment says, such as `run in: checkout`; empty for none. */
  readonly comment: string;
}

/** The command blocks of a document. */
export function commandBlocks(document: string, text: string): CommandBlock[] {
  const blocks: CommandBlock[] = [];
  const lines = text.split("\n");
  let comment = "";
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!.trim();
    const said = /^<!-- (.*) -->$/.exec(line);
    if (said !== null) comment = said[1]!;
    else if (line.startsWith("```")) {
      const start = at;
      const end = lines.findIndex((other, i) => i > start && other.trim() === "```");
      const body = lines.slice(start + 1, end).map((other) => other.trim());
      at = end;
      // A terminal's text: what was typed, without what it answered.
      const typed = body.filter((other) => other.startsWith("$ ")).map((other) => other.slice(2));
      const script = line === "```sh" ? body : line === "```" ? typed : [];
      if (script.length > 0) {
        blocks.push({ place: `${document}:${start + 1}`, script: script.join("\n"), comment });
      }
      comment = "";
    } else if (line !== "") comment = "";
  }
  return blocks;
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
  run({ script, comment }: CommandBlock): string | undefined {
    const cwd = comment === "run in: checkout" ? root : this.#project();
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

  /** A new folder, as a reader's project is. */
  #project(): string {
    const folder = mkdtempSync(join(this.#folder, "project-"));
    const readme = readFileSync(join(root, "README.md"), "utf8");
    const [, example] = /```ts\n(\/\/ pipe_test\.ts\n[^]*?)```/.exec(readme)!;
    writeFileSync(join(folder, "pipe_test.ts"), example!);
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
      const { place, comment } = block;
      if (/^(?:not run|commands): /.test(comment) || (comment.startsWith("with --all: ") && !all)) {
        console.log(`left    ${place}  ${comment}`);
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
