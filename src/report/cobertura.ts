import type { RunCoverage } from "../coverage/run_coverage.ts";
import { addTotals, type FileTotals, fileTotals, noTotals, type Totals } from "./file_totals.ts";
import { type PathMode, sourcePath } from "./source_path.ts";

/** Largest Cobertura file that GitLab reads. */
const GITLAB_MAX_BYTES = 10 * 1024 * 1024;

/** Options of {@linkcode cobertura}. */
export interface CoberturaOptions {
  paths?: PathMode;
  /** Most bytes per document; {@linkcode GITLAB_MAX_BYTES} unless given. A single source file is never split. */
  maxBytes?: number;
  /** Which files of the image it has; all unless given. */
  files?(file: number): boolean;
  /** Time of the run, in milliseconds since 1970; 0 unless given, so that equal runs give equal files. */
  timestamp?: number;
}

/** Room for the XML head, the totals and the closing tags of a document. */
const FRAME_BYTES = 2048;

/** A source file as a `class` element. */
interface ClassText {
  readonly folder: string;
  readonly totals: Totals;
  readonly xml: string;
}

/**
 * The run in Cobertura's format (DTD 0.4): a folder is a package, a file a class, a function a method; lines with
 * some points hit and some not are branches with one of two conditions taken. Each yielded document is complete and
 * covers other files, with totals of its own.
 */
export function* cobertura(
  coverage: RunCoverage,
  options: CoberturaOptions = {},
): Generator<string> {
  const limit = (options.maxBytes ?? GITLAB_MAX_BYTES) - FRAME_BYTES;
  let classes: ClassText[] = [];
  let bytes = 0;
  let folder = "";
  for (const file of fileTotals(coverage)) {
    if (options.files?.(file.file) === false) continue;
    const next = classText(coverage, file, options);
    // Everything but names is ASCII, and names are counted as if each unit took three bytes.
    const size = next.xml.length + 3 * file.path.length +
      (next.folder === folder ? 0 : 200 + 3 * next.folder.length);
    if (classes.length > 0 && bytes + size > limit) {
      yield documentText(classes, options);
      classes = [];
      bytes = 0;
    }
    classes.push(next);
    bytes += size;
    folder = next.folder;
  }
  yield documentText(classes, options);
}

function classText(coverage: RunCoverage, file: FileTotals, options: CoberturaOptions): ClassText {
  const { universe } = coverage;
  const { functions, fileLineStart } = universe;
  const slash = file.path.lastIndexOf("/");
  const folder = slash < 0 ? "." : file.path.slice(0, slash);
  const path = escapeXml(sourcePath(file.path, options.paths ?? "relative"));
  let methods = "";
  const lastGroup = functions.fileGroupStart[file.file + 1];
  for (let group = functions.fileGroupStart[file.file]; group < lastGroup; group++) {
    const from = functions.groupLine[group], to = functions.groupLineEnd[group];
    const rates = rateAttributes(linesText(coverage, from, to).totals);
    // A method's rate is that of all its lines; to write them here too would double the file.
    const first = linesText(coverage, from, from + 1).xml;
    const last = functions.groupStart[group + 1];
    for (let f = functions.groupStart[group]; f < last; f++) {
      methods += `<method name="${escapeXml(functions.name[f])}" signature="" ${rates} ` +
        `complexity="0">\n<lines>\n${first}</lines>\n</method>\n`;
    }
  }
  const lines = linesText(coverage, fileLineStart[file.file], fileLineStart[file.file + 1]);
  return {
    folder,
    totals: file,
    xml: `<class name="${escapeXml(file.path.slice(slash + 1))}" filename="${path}" ` +
      `${rateAttributes(file)} complexity="0">\n<methods>\n${methods}</methods>\n` +
      `<lines>\n${lines.xml}</lines>\n</class>\n`,
  };
}

function linesText(
  coverage: RunCoverage,
  from: number,
  to: number,
): { xml: string; totals: Totals } {
  const { universe, lineCount, lineTests, linePointsHit } = coverage;
  const { image, linePoints } = universe;
  const totals = noTotals();
  let xml = "";
  for (let line = from; line < to; line++) {
    if (linePoints[line] === 0) continue;
    totals.lines++;
    const hits = Math.min(lineCount[line], 0x7fff_ffff);
    const head = `<line number="${image.lineNumber[line]}" hits="${hits}" branch=`;
    if (lineTests[line] !== 0) totals.linesHit++;
    if (lineTests[line] !== 0 && linePointsHit[line] < linePoints[line]) {
      totals.linesPartial++;
      xml += `${head}"true" condition-coverage="50% (1/2)"><conditions>` +
        `<condition number="0" type="jump" coverage="50%"/></conditions></line>\n`;
    } else xml += `${head}"false"/>\n`;
  }
  return { xml, totals };
}

function documentText(classes: readonly ClassText[], options: CoberturaOptions): string {
  const all = noTotals();
  const packages: { folder: string; totals: Totals; xml: string[] }[] = [];
  for (const { folder, totals, xml } of classes) {
    addTotals(all, totals);
    if (packages.at(-1)?.folder !== folder) packages.push({ folder, totals: noTotals(), xml: [] });
    const open = packages.at(-1)!;
    addTotals(open.totals, totals);
    open.xml.push(xml);
  }
  const body = packages.map(({ folder, totals, xml }) =>
    `<package name="${escapeXml(folder)}" ${rateAttributes(totals)} complexity="0">\n` +
    `<classes>\n${xml.join("")}</classes>\n</package>\n`
  ).join("");
  return `<?xml version="1.0" encoding="UTF-8"?>\n` +
    `<!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd">\n` +
    `<coverage ${rateAttributes(all)} lines-covered="${all.linesHit}" ` +
    `lines-valid="${all.lines}" branches-covered="${all.linesPartial}" ` +
    `branches-valid="${2 * all.linesPartial}" complexity="0" version="kernelcov" ` +
    `timestamp="${options.timestamp ?? 0}">\n<sources>\n<source>.</source>\n</sources>\n` +
    `<packages>\n${body}</packages>\n</coverage>\n`;
}

/** Line and branch rates; a part without branches has a branch rate of 1, as others write it. */
function rateAttributes({ lines, linesHit, linesPartial }: Totals): string {
  const rate = lines === 0 ? 1 : linesHit / lines;
  return `line-rate="${rate.toFixed(4)}" branch-rate="${linesPartial === 0 ? "1" : "0.5"}"`;
}

/** `text` as XML 1.0 takes it in an attribute; characters that XML cannot hold become U+FFFD. */
export function escapeXml(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "\ufffd")
    .replace(/[&<>"'\t\n\r]/g, (character) => `&#${character.charCodeAt(0)};`);
}
