import { printable } from "../text_style.ts";
import { type LineSpan, lineSpans, type PatchReport, spanText } from "./patch_report.ts";

/** Spans that people should look at: of a file that was not tested at all only one, at its first change. */
export function notableSpans({ verdict }: PatchReport): LineSpan[] {
  return verdict.files.flatMap((file) => {
    const spans = lineSpans(file);
    const untested = spans.filter(({ state }) =>
      state === "not-built" || state === "not-instrumented"
    );
    const whole = untested.slice(0, 1).map((span) => ({
      ...span,
      lines: untested.flatMap(({ lines }) => lines),
    }));
    return [...spans.filter(({ state }) => state === "uncovered"), ...whole];
  });
}

/**
 * Workflow commands of GitHub Actions that show what is not tested beside the changed lines: a warning for lines that no
 * test runs, a notice for those that the tested kernel does not have or has without points.
 */
export function githubAnnotations(report: PatchReport): string {
  return notableSpans(report).map((span) => {
    const kind = span.state === "uncovered" ? "warning" : "notice";
    const place = `file=${property(span.path)},line=${span.first},endLine=${span.last}`;
    return `::${kind} ${place},title=Kernel coverage::${data(spanText(span))}\n`;
  }).join("");
}

/** Text of a command, as the runner reads it back. */
function data(text: string): string {
  return printable(text).replaceAll("%", "%25");
}

/** A path is data: line ends in it must not begin another command. */
function property(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A")
    .replaceAll(":", "%3A").replaceAll(",", "%2C");
}
