import { VERSION } from "../../version.ts";
import { notableSpans } from "./annotations.ts";
import { type PatchReport, spanText } from "./patch_report.ts";

const RULES = {
  uncovered: ["kernel-line-not-run", "A changed line that no test runs", "warning"],
  "not-built": ["kernel-file-not-built", "A changed file that the tested kernel lacks", "note"],
  "not-instrumented": [
    "kernel-file-without-points",
    "A changed file without coverage points",
    "note",
  ],
} as const;

/** What is not tested of a patch, as SARIF 2.1.0. Paths are relative to the kernel's root. */
export function patchSarif(report: PatchReport): string {
  const kinds = Object.keys(RULES) as (keyof typeof RULES)[];
  return JSON.stringify(
    {
      $schema: "https://json.schemastore.org/sarif-2.1.0.json",
      version: "2.1.0",
      runs: [{
        tool: {
          driver: {
            name: "kernelcov",
            version: VERSION,
            rules: kinds.map((kind) => ({
              id: RULES[kind][0],
              shortDescription: { text: RULES[kind][1] },
              defaultConfiguration: { level: RULES[kind][2] },
            })),
          },
        },
        results: notableSpans(report).map((span) => {
          const kind = span.state as keyof typeof RULES;
          return {
            ruleId: RULES[kind][0],
            ruleIndex: kinds.indexOf(kind),
            level: RULES[kind][2],
            message: { text: spanText(span) },
            locations: [{
              physicalLocation: {
                artifactLocation: {
                  uri: span.path.split("/").map(encodeURIComponent).join("/"),
                  uriBaseId: "%SRCROOT%",
                },
                region: { startLine: span.first, endLine: span.last },
              },
            }],
          };
        }),
      }],
    },
    null,
    2,
  ) + "\n";
}
