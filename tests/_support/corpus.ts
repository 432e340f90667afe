import assert from "node:assert/strict";
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { runtimeName } from "../../src/sys/runtime.ts";
import { spawnSync } from "./spawn_sync.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const CORPUS = fileURLToPath(new URL("../runners/corpus", import.meta.url));

/** Bodies of the corpus are wrapped; without the wrappers each stands at the same place of its line. */
function withoutWrappers(source: string): string {
  return source
    .replaceAll('import { withKernelCoverage } from "kernelcov";', blank)
    .replaceAll("withKernelCoverage(", `/${"*".repeat(16)}/(`)
    .replaceAll("(cov)", "(   )")
    .replaceAll("(cov, ", "(     ");
}

function blank(text: string): string {
  return `//${" ".repeat(text.length - 3)}.`;
}

/** The test files of this runtime in a folder of their own. */
export class Corpus {
  readonly folder: string;
  readonly #wrapped: boolean;
  readonly #names: readonly string[];

  /** @param wrapped Whether the bodies are wrapped in `withKernelCoverage`. */
  constructor(folder: string, wrapped: boolean) {
    this.folder = folder;
    this.#wrapped = wrapped;
    mkdirSync(join(folder, "node_modules"), { recursive: true });
    symlinkSync(ROOT, join(folder, "node_modules/kernelcov"));
    const names: string[] = [];
    for (const group of [runtimeName(), "node"]) {
      for (const entry of readdirSync(join(CORPUS, group)).sort()) {
        if (!entry.endsWith(".ts")) {
          cpSync(join(CORPUS, group, entry), join(folder, entry), { recursive: true });
          continue;
        }
        const name = group === "node" ? entry.replace(/^(apart_)?/, "$1node_") : entry;
        const source = readFileSync(join(CORPUS, group, entry), "utf8");
        writeFileSync(join(folder, name), wrapped ? source : withoutWrappers(source));
        names.push(name);
      }
    }
    this.#names = names;
  }

  /** Files that run in one process, and those that each end or break their own. */
  get invocations(): string[][] {
    const alone = this.#names.filter((name) => name.startsWith("alone_"));
    return [this.#names.filter((name) => !alone.includes(name)), ...alone.map((name) => [name])];
  }

  /**
   * The files that run in one process, those that need not stand apart joined to one: Deno runs each file on a thread of
   * its own, which takes its time in a user-mode kernel.
   */
  get joined(): string[] {
    const [together = []] = this.invocations;
    if (runtimeName() !== "deno") return together;
    const apart = together.filter((name) => name.startsWith("apart_"));
    const rest = together.filter((name) => !apart.includes(name));
    const imports = rest.map((name) => `import "./${name}";\n`);
    writeFileSync(join(this.folder, "joined.ts"), imports.join(""));
    return ["joined.ts", ...apart];
  }

  /** How many files there are. */
  get size(): number {
    return this.#names.length;
  }

  /** The command that runs test files with this runtime's runner. */
  command(names: readonly string[]): string[] {
    const runner = runtimeName() === "deno"
      ? ["test", "-A", "--no-prompt", "--no-check", "--config", join(ROOT, "deno.json")]
      : ["test"];
    return [process.execPath, ...runner, ...names.map((name) => `./${name}`)];
  }

  /** What the runner prints, with all that differs between two plain runs left out. */
  comparable(output: string): string {
    const text = stripVTControlCharacters(output).replaceAll(`${this.folder}/`, "/corpus/");
    return (this.#wrapped ? withoutWrappers(text) : text)
      .replaceAll(DENOS_RACES, "")
      .replaceAll(/[[(][\d.]+ ?(?:µs|ms|s|m\d*s?)[\])]/g, "(time)")
      .replaceAll(/ +(?:\(time\))?$/gm, "");
  }
}

/**
 * Deno's reporter prints on a thread of its own: whether it says that a test runs, and where it says that a test prints,
 * differs from run to run. The hook's frames are among the runtime's own, which Deno shows where others follow.
 */
const DENOS_RACES =
  /^(?:-+ (?:p\w+-test )?output (?:end )?-+|.* \.\.\.$| {4}at (?:.* \()?ext:kernelcov\/.*)\n?/gm;

/** What a command left, line by line. */
export interface CorpusRun {
  readonly status: number | null;
  readonly signal: string | null;
  readonly output: readonly string[];
}

/** Holds that two runs left the same; names the first line that differs, and those around it. */
export function assertSameRun(run: CorpusRun, expected: CorpusRun, what: string): void {
  const at = expected.output.findIndex((line, index) => line !== run.output[index]);
  const from = Math.max(0, (at < 0 ? expected.output.length : at) - 12);
  function told({ status, signal, output }: CorpusRun): object {
    return { status, signal, lines: output.length, output: output.slice(from, from + 24) };
  }
  assert.deepEqual(told(run), told(expected), what);
}

/** Runs a command in the folder of a corpus. */
export function runInCorpus(
  corpus: Corpus,
  [program, ...args]: readonly string[],
  env: NodeJS.ProcessEnv,
): CorpusRun {
  const { status, signal, stdout, stderr } = spawnSync(program!, args, {
    cwd: corpus.folder,
    env,
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  // Bun reports on standard error, and tests print on standard output.
  const output = `${corpus.comparable(stdout)}\n----\n${corpus.comparable(stderr)}`.split("\n");
  return { status, signal, output };
}
