import type { FilePatch } from "../../coverage/patch/patch.ts";
import type { PatchSide } from "../../coverage/patch/hunk_places.ts";
import type { RunCoverage } from "../../coverage/run_coverage.ts";
import { PointOrigins } from "../../coverage/point_origins.ts";
import { TestLookup } from "../../coverage/questions/test_lookup.ts";
import type { ComparedPlace } from "../../coverage/comparisons/compared_places.ts";
import { comparedRows } from "../comparisons/comparisons_text.ts";
import { plural } from "../text_style.ts";
import { loadAssets } from "./assets.ts";
import { fileData } from "./file_data.ts";
import { patchData } from "./patch_data.ts";
import type { BuildTotals } from "./report_data.ts";
import { reportFiles } from "./report_files.ts";
import { indexData, runData } from "./run_data.ts";
import { testChunks, type TestFacts } from "./test_data.ts";

/** What an HTML report shows. */
export interface HtmlReportInput {
  readonly coverage: RunCoverage;
  /** Text of a source file of the image; `undefined` where it is not available. Called once or twice per file. */
  readSource?(file: string): string | undefined;
  /** What tests compared, by file and line; absent where that was recorded of none. */
  readonly compared?: readonly ComparedPlace[] | undefined;
  /** A parsed patch, for the patch page. */
  readonly patch?: readonly FilePatch[];
  /** Side of the patch that the image was built from; found from the sources where absent. */
  readonly patchSide?: PatchSide;
  /** What earlier builds covered, oldest first, for the chart of the first page. */
  readonly earlier?: readonly BuildTotals[];
}

/** Options of {@linkcode writeHtmlReport}. */
export interface HtmlReportOptions {
  /** Heading and window title; `Kernel coverage` where absent. */
  readonly title?: string;
}

/** A file of a report. */
export interface HtmlFile {
  /** Path below the report's folder, with `/`. */
  readonly path: string;
  readonly text: string;
}

/**
 * Writes a report as a folder of static files, one after the other: open `index.html`, also from `file://` and
 * without a network. Each source file and each group of tests has a data file of its own, loaded when asked for.
 *
 * The same input gives the same files.
 */
export async function* writeHtmlReport(
  input: HtmlReportInput,
  options: HtmlReportOptions = {},
): AsyncGenerator<HtmlFile, void> {
  const { coverage, patch } = input;
  const title = options.title ?? "Kernel coverage";
  const files = reportFiles(coverage.universe);
  const readSource = input.readSource?.bind(input) ?? noSource;

  const chunks = testChunks(coverage, files);
  let facts: TestFacts | undefined;
  for (let number = 0; facts === undefined; number++) {
    const chunk = chunks.next();
    if (chunk.done) facts = chunk.value;
    else yield dataFile(`t${number}`, chunk.value);
  }

  const lookup = new TestLookup(coverage);
  const origins = coverage.tests.some(({ origins }) => origins !== undefined)
    ? new PointOrigins(coverage)
    : undefined;
  const compared = input.compared && byFile(input.compared);
  let missing = 0;
  for (let file = 0; file < files.imageFile.length; file++) {
    const imageFile = files.imageFile[file];
    const name = coverage.universe.image.files[imageFile];
    const source = readSource(name);
    const rows = compared && comparedRows(compared.get(name) ?? []);
    if (source === undefined) missing++;
    yield dataFile(`f${file}`, fileData(lookup, imageFile, source, origins, rows));
  }
  if (patch !== undefined) {
    const linesOf = (file: string): readonly string[] | undefined => readSource(file)?.split("\n");
    yield dataFile("patch", patchData(lookup, files, patch, linesOf, input.patchSide));
  }
  yield dataFile("index", indexData(coverage, files, facts));
  const notes = missing === 0 ? [] : [
    `no source: ${plural(missing, "file")} of ${
      plural(files.imageFile.length, "file")
    } could not be read; their pages show line numbers and functions`,
  ];
  yield dataFile(
    "run",
    runData(coverage, files, facts, {
      title,
      hasPatch: patch !== undefined,
      notes,
      earlier: input.earlier ?? [],
    }),
  );
  const { html, script, style } = await loadAssets();
  yield { path: "kernelcov.css", text: style };
  yield { path: "kernelcov.js", text: script };
  yield { path: "index.html", text: html };
}

function byFile(places: readonly ComparedPlace[]): Map<string, ComparedPlace[]> {
  const files = new Map<string, ComparedPlace[]>();
  for (const place of places) {
    const [frame] = place.frames;
    if (frame === undefined) continue;
    const known = files.get(frame.file);
    if (known === undefined) files.set(frame.file, [place]);
    else known.push(place);
  }
  return files;
}

function noSource(): undefined {
  return undefined;
}

function dataFile(key: string, value: unknown): HtmlFile {
  return {
    path: `data/${key}.js`,
    text: `${dataFileStart(key)}${JSON.stringify(value)});\n`,
  };
}

/** What the text of the report's file `data/<key>.js` starts with, as that of no other file does. */
export function dataFileStart(key: string): string {
  return `kernelcov.put(${JSON.stringify(key)}, `;
}
