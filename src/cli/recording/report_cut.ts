import type { TestRecord } from "../../record/test_record.ts";
import { printable } from "../../report/text_style.ts";
import type { CommandEnd } from "../../machines/machine.ts";
import { warn } from "../command_line.ts";

/** Tests that are named; there are more where a runner runs them at once. */
const MOST_NAMED = 3;

/**
 * Says in one line, on standard error, that a run was cut short, and which tests it cut short.
 *
 * @param records of the run, and of earlier ones in its folder; none where it recorded nothing
 */
export function reportCut(
  { cut }: Pick<CommandEnd, "cut">,
  records: readonly TestRecord[] = [],
): void {
  const line = cutLine(cut, records.filter(({ earlier }) => earlier !== true));
  if (line !== undefined) warn(line);
}

/**
 * The line of {@linkcode reportCut}; `undefined` where all that began has ended.
 *
 * @param cut what cut the run short, if that is known
 */
export function cutLine(
  cut: string | undefined,
  records: readonly TestRecord[],
): string | undefined {
  const unfinished = records.filter(({ outcome }) => outcome === "unfinished");
  if (cut === undefined && unfinished.length === 0) return undefined;
  const tests = records.filter(({ kind = "test" }) => kind === "test");
  const ended = tests.filter(({ outcome }) => outcome !== "unfinished").length;
  const what = cut ?? "The command ended";
  if (unfinished.some(({ kind }) => kind === "command")) {
    return `${what}: the record of the command is unfinished`;
  }
  const had = `${ended} ${ended === 1 ? "test" : "tests"} had ended`;
  if (records.length === 0) return `${what}, before a test began`;
  if (unfinished.length === 0) return `${what} while no test ran; ${had}`;
  const whose = unfinished.length === 1 ? "its record is" : "their records are";
  return `${what} while ${namesOf(unfinished)} ran: ${whose} unfinished; ${had}`;
}

/** The running tests; a test that waits for a step of its is not named beside that. */
function namesOf(unfinished: readonly TestRecord[]): string {
  const innermost = unfinished.filter(({ name, file }) =>
    !unfinished.some((other) => other.file === file && other.name.startsWith(`${name} > `))
  );
  const names = innermost.slice(0, MOST_NAMED).map(({ name, file }) =>
    JSON.stringify(printable(file === "" ? name : `${file}: ${name}`))
  );
  const more = innermost.length - names.length;
  return `${names.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
