import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parsePatch } from "../../src/coverage/patch/patch.ts";
import { RunCoverage } from "../../src/coverage/run_coverage.ts";
import { buildUniverse } from "../../src/coverage/universe.ts";
import {
  type HtmlFile,
  type HtmlReportInput,
  writeHtmlReport,
} from "../../src/report/html/write_html_report.ts";
import { buildRecord, smallKernel } from "./images/index_builder.ts";

/** A name that would break a page which takes names for markup, paths or scripts. */
export const HOSTILE_NAME = 'a/b > <script>alert("1")</script> & \u2028 %2F `${x}` __proto__';

/** A run of the small kernel: two tests of pipes that overlap, one of sockets, one that reached nothing. */
export function smallRun(): RunCoverage {
  const image = smallKernel();
  return new RunCoverage(
    buildUniverse(image),
    [
      buildRecord(image, "pipe > writes", [0x10, 0x100, 0x140], [1, 2, 2], { durationMs: 12.5 }),
      buildRecord(image, HOSTILE_NAME, [0x100, 0x120, 0x200, 0x220], null, {
        outcome: "failed",
        truncated: true,
        durationMs: 1500,
      }),
      buildRecord(image, "sock > reads", [0x400], [3], { file: "tests/sock_test.ts" }),
      buildRecord(image, "nothing", [], []),
      buildRecord(image, "pipe > writes", [0x10, 0x100], [1, 1], { durationMs: 11, pass: 1 }),
    ],
    { kernel: { buildId: image.buildId, release: "6.12.0-test", machine: "x86_64" } },
  );
}

/** The sources of the small kernel; `net/socket.c` is not at hand. */
export function smallSource(file: string): string | undefined {
  if (file === "net/socket.c") return undefined;
  return `${
    Array.from(
      { length: 60 },
      (_, i) =>
        i === 2 ? "/* a </script> in" : i === 3 ? " two lines */" : `\tline_${i + 1}("x", 0);`,
    ).join("\n")
  }\n`;
}

/** A patch of the small kernel with a hunk of each kind. */
export const SMALL_PATCH = [
  "--- a/fs/pipe.c",
  "+++ b/fs/pipe.c",
  "@@ -20,3 +20,3 @@ pipe_write",
  ' \tline_20("x", 0);',
  '-\tline_21("x", 0);',
  '+\tline_21("<b>", 1);',
  ' \tline_22("x", 0);',
  "--- a/net/socket.c",
  "+++ b/net/socket.c",
  "@@ -30,1 +30,1 @@ show",
  '-\tline_30("x", 0);',
  '+\tline_30("y", 0);',
  "--- a/fs/ntfs3/super.c",
  "+++ b/fs/ntfs3/super.c",
  "@@ -1,1 +1,1 @@",
  "-a",
  "+b",
  "--- a/init/Kconfig",
  "+++ b/init/Kconfig",
  "@@ -1,1 +1,1 @@",
  "-a",
  "+b",
  "",
].join("\n");

/** The input of a report on the small run, with its patch. */
export function smallInput(): HtmlReportInput {
  return { coverage: smallRun(), readSource: smallSource, patch: parsePatch(SMALL_PATCH) };
}

/** The files of a report, by path. */
export async function reportFilesOf(input: HtmlReportInput): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for await (const { path, text } of writeHtmlReport(input, { title: "Small run" })) {
    files.set(path, text);
  }
  return files;
}

/** The values that the data files of a report put, as a browser runs them. */
export function reportValues(files: ReadonlyMap<string, string>): Map<string, unknown> {
  const found = new Map<string, unknown>();
  for (const [path, text] of files) {
    if (!path.startsWith("data/")) continue;
    const put = (key: string, value: unknown): void => {
      assert.equal(path, `data/${key}.js`);
      found.set(key, value);
    };
    new Function("kernelcov", text)({ put });
  }
  return found;
}

/** A report in a folder of its own, which goes when it is disposed of. */
export class ReportFolder implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), "kernelcov-html-"));

  write({ path, text }: HtmlFile): void {
    const target = join(this.path, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
