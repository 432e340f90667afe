/** What a runner reported of one test. */
export interface ReportedTest {
  /** The test's file, relative to the folder that the runner was started in; empty where the runner names another. */
  readonly file: string;
  /** Suites, test and steps joined by ` > `. */
  readonly name: string;
  readonly outcome: "passed" | "failed" | "skipped";
}

const TAG = /<!\[CDATA\[[^]*?\]\]>|<(\/?)([a-z]+)((?:\s+[\w:-]+="[^"]*")*)\s*(\/?)>/g;

/** Reads a report in the JUnit format as Deno and Bun write it. Anything else holds no tests. */
export function parseRunnerReport(xml: string): ReportedTest[] {
  const tests: ReportedTest[] = [];
  const suites: string[] = [];
  let test: ReportedTest | undefined;
  for (const [, closing, tag, attributes = "", empty] of xml.matchAll(TAG)) {
    const opens = closing === "";
    if (tag === "testsuite") {
      if (!opens) suites.pop();
      else if (empty === "") suites.push(attributeOf(attributes, "name"));
    } else if (tag === "testcase") {
      if (opens) test = reportedTest(attributes, suites);
      if ((!opens || empty !== "") && test !== undefined) {
        tests.push(test);
        test = undefined;
      }
    } else if (test !== undefined && opens) {
      if (tag === "failure" || tag === "error") test = { ...test, outcome: "failed" };
      else if (tag === "skipped") test = { ...test, outcome: "skipped" };
    }
  }
  return tests;
}

/** Bun nests suites in that of the file, and has an attribute for the file; Deno's names are full names. */
function reportedTest(attributes: string, suites: readonly string[]): ReportedTest {
  const name = attributeOf(attributes, "name");
  const [, ...within] = suites;
  const place = attributeOf(attributes, "file") || attributeOf(attributes, "classname");
  // node:test's suites have the runtime's own file in Deno.
  const file = place.startsWith("ext:") ? "" : place.replace(/^\.\//, "");
  return { file, name: [...within, name].join(" > "), outcome: "passed" };
}

const ENTITIES: Record<string, string> = { amp: "&", apos: "'", gt: ">", lt: "<", quot: '"' };

function attributeOf(attributes: string, name: string): string {
  const value = new RegExp(`\\s${name}="([^"]*)"`).exec(attributes)?.[1] ?? "";
  return value.replace(/&(?:#x([0-9a-fA-F]+)|#(\d+)|(\w+));/g, (whole, hex, decimal, word) => {
    if (word !== undefined) return ENTITIES[word] ?? whole;
    const code = hex === undefined ? Number(decimal) : parseInt(hex, 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
