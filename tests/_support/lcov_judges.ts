import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import lcovParse from "lcov-parse";
import type { LcovOptions } from "../../src/report/lcov.ts";

/** One way to write a run as LCOV. */
export interface LcovVariant {
  /** For test names. */
  readonly name: string;
  readonly options: Required<Omit<LcovOptions, "paths">>;
  /** A record set for each test instead of one for all. */
  readonly perTest: boolean;
}

/** Every way to write a run as LCOV. */
export const LCOV_VARIANTS: readonly LcovVariant[] = ([1, 2] as const).flatMap((dialect) =>
  (["hits", "tests"] as const).flatMap((count) =>
    (["none", "brda"] as const).flatMap((partial) =>
      [false, true].map((perTest) => ({
        name: `${perTest ? "each test" : "all tests"} in dialect ${dialect}, ` +
          `count ${count}, partial ${partial}`,
        options: { dialect, count, partial },
        perTest,
      }))
    )
  )
);

/** A folder of made-up sources and the tracefiles in it. */
export class LcovFolder implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), "kernelcov-lcov-"));

  /** Writes `lines` numbered lines to each of `files`. */
  writeSources(files: readonly string[], lines = 100): void {
    for (const file of files) {
      const path = join(this.path, file);
      mkdirSync(dirname(path), { recursive: true });
      const text = Array.from({ length: lines }, (_, i) => `/* line ${i + 1} */`).join("\n");
      writeFileSync(path, `${text}\n`);
    }
  }

  write(name: string, data: string | Uint8Array): void {
    writeFileSync(join(this.path, name), data);
  }

  /** The text of every page that genhtml made. */
  pages(): string[] {
    const folder = join(this.path, "html");
    return (readdirSync(folder, { recursive: true }) as string[])
      .filter((name) => name.endsWith(".html"))
      .map((name) => readFileSync(join(folder, name), "utf8"));
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** What Debian's genhtml made of tracefiles. */
export interface GenhtmlResult {
  status: number | null;
  /** Standard error and every line with `WARNING` or `ERROR`. */
  complaints: string;
  /** `lines......: 50.0% (9 of 18 lines)` and its like, by first word: hit and found. */
  rates: Record<string, { hit: number; found: number }>;
}

/** Runs genhtml in the folder of the sources, or where they have whole paths in any. */
export function genhtml(folder: Pick<LcovFolder, "path">, args: readonly string[]): GenhtmlResult {
  const { status, stdout, stderr } = spawnSync(
    "genhtml",
    ["--output-directory", "html", "--show-details", "--function-coverage", "--legend", ...args],
    { cwd: folder.path, encoding: "utf8", env: { ...process.env, LC_ALL: "C.UTF-8" } },
  );
  const rates: GenhtmlResult["rates"] = {};
  for (const match of stdout.matchAll(/^ {2}(\w+)\.*: .*\((\d+) of (\d+) /gm)) {
    rates[match[1]!] = { hit: Number(match[2]), found: Number(match[3]) };
  }
  const complaints = stderr +
    stdout.split("\n").filter((line) => /WARNING|ERROR/i.test(line)).join("\n");
  return { status, complaints, rates };
}

/** One source file as lcov-parse reads it. */
export interface ParsedFile {
  title: string;
  file: string;
  lines: { found: number; hit: number; details: { line: number; hit: number }[] };
  functions: { found: number; hit: number; details: { name: string; line: number; hit: number }[] };
  branches: { found: number; hit: number; details: { line: number; taken: number }[] };
}

/** Reads tracefile text with lcov-parse. */
export function parseLcov(text: string): Promise<ParsedFile[]> {
  return new Promise((resolve, reject) => {
    lcovParse(text, (error: unknown, data: unknown) => {
      if (error) reject(new TypeError(`lcov-parse cannot read the text: ${String(error)}`));
      else resolve(data as ParsedFile[]);
    });
  });
}
