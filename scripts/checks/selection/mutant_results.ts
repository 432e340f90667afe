import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { cacheFolder } from "../../../src/build/kernel_folder.ts";
import { writeWhole } from "../../../src/sys/written_files.ts";
import type { Mutant } from "./mutants.ts";
import {
  recordSuite,
  ROOT,
  runSuite,
  suiteFiles,
  type SuiteKernel,
  type SuiteRun,
} from "./suite_run.ts";

/** How often the suite is run without a mutant: a test that fails in one of these runs says nothing of a mutant. */
const BASE_RUNS = 3;

/** What became of the suite on a kernel with a mutant. */
export type MutantRun =
  | { readonly kind: "not-built" }
  | {
    readonly kind: "ran";
    readonly suite: SuiteRun;
    /** Those of its failed tests that fail alone too, each in a process of its own. */
    readonly alone: readonly string[];
    readonly seconds: { readonly build: number; readonly suite: number; readonly alone: number };
  };

/**
 * What has been measured on a kernel with this suite, kept in the cache: a check that was ended goes on from there, and
 * another ranking is held against the same failures.
 */
export class MutantResults {
  readonly #folder: string;

  /** @param buildId of the kernel without a mutant */
  constructor(buildId: string) {
    const hash = createHash("sha256");
    for (const file of suiteFiles()) hash.update(file).update(readFileSync(join(ROOT, file)));
    const suite = hash.digest("hex").slice(0, 12);
    this.#folder = join(cacheFolder(), "selection", `${buildId.slice(0, 12)}-${suite}`);
    mkdirSync(this.#folder, { recursive: true });
  }

  /** The folder of the suite's records on the kernel without a mutant. */
  recorded(linux: string, vmlinux: string): string {
    const out = join(this.#folder, "recorded"), done = join(this.#folder, "recorded.json");
    if (!existsSync(done)) {
      rmSync(out, { recursive: true, force: true });
      recordSuite(linux, vmlinux, out);
      write(done, {});
    }
    return join(out, "run");
  }

  /** The suite without a mutant: tests passed where they did in each of several runs. */
  base(kernel: SuiteKernel): SuiteRun {
    const runs = Array.from(
      { length: BASE_RUNS },
      (_, i) => this.#once(join(this.#folder, `base${i + 1}.json`), () => runSuite(kernel)),
    );
    const failed = new Set(runs.flatMap((run) => run.failed));
    const passed = runs[0].passed.filter((test) => runs.every((run) => run.passed.includes(test)));
    return { passed, failed: [...failed], begun: runs[0].begun, cut: [] };
  }

  /** What became of a mutant, if that is known. */
  of(mutant: Mutant): MutantRun | undefined {
    const path = this.#pathOf(mutant);
    return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")).run : undefined;
  }

  add(mutant: Mutant, run: MutantRun): void {
    write(this.#pathOf(mutant), { mutant, run });
  }

  #pathOf({ file, line, after }: Mutant): string {
    const hash = createHash("sha256").update(`${file}\n${line}\n${after}`).digest("hex");
    return join(this.#folder, "mutants", `${hash.slice(0, 16)}.json`);
  }

  #once<T>(path: string, make: () => T): T {
    if (!existsSync(path)) write(path, make());
    return JSON.parse(readFileSync(path, "utf8"));
  }
}

/**
 * Notes the text of a file that is going to be changed, so that also after a kill it is put back.
 *
 * @returns puts it back
 */
export function changingFile(path: string, text: string): () => void {
  const note = join(notesFolder(), `${process.pid}.json`);
  write(note, { path, text });
  return () => putBackOf(note);
}

/** Puts back what earlier checks were killed in. */
export function putBack(): void {
  mkdirSync(notesFolder(), { recursive: true });
  for (const name of readdirSync(notesFolder())) {
    if (!isRunning(Number(name.split(".")[0]))) putBackOf(join(notesFolder(), name));
  }
}

/**
 * Another check would take the text that this one has changed for the file's own.
 *
 * @throws {TypeError} A check that runs has changed a file of the tree.
 */
export function refuseBusyTree(tree: string): void {
  for (const name of readdirSync(notesFolder())) {
    const { path } = JSON.parse(readFileSync(join(notesFolder(), name), "utf8"));
    const [pid] = name.split(".");
    if (path.startsWith(`${tree}/`)) {
      throw new TypeError(`Process ${pid} measures mutants in ${tree}: wait for it, or end it`);
    }
  }
}

function putBackOf(note: string): void {
  const { path, text } = JSON.parse(readFileSync(note, "utf8"));
  if (existsSync(path)) writeWhole(path, [text]);
  rmSync(note);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** A note for each check that has changed a file, named after its process. */
function notesFolder(): string {
  return join(cacheFolder(), "selection", "changed");
}

function write(path: string, value: unknown): void {
  mkdirSync(dirname(path), { recursive: true });
  writeWhole(path, [JSON.stringify(value)]);
}
