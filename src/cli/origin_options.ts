import { CAUSED_BY_TESTS, type OriginSelection } from "../coverage/origin_selection.ts";
import { ORIGIN_CLASSES, type OriginClass } from "../coverage/origin_class.ts";
import { didYouMean } from "../base/nearest_names.ts";
import { type OptionValues, UsageError } from "./command_line.ts";

/** Options that say which origins count. */
export const ORIGIN_OPTIONS = {
  origin: { type: "string", multiple: true },
  include: { type: "string", multiple: true },
} as const;

/** Help for {@linkcode ORIGIN_OPTIONS}. */
export const ORIGIN_HELP =
  `    --origin ORIGIN[,…] count only this: own, what the tests' tasks ran; behalf, what the kernel did later or elsewhere
                    for them; runtime, what the runtime's own threads ran; faults, page faults by which code is loaded;
                    call:NAME, what a system call ran or led to, such as call:connect. By default own,behalf
    --include CLASS[,…] count this too: runtime, faults
`;

const CALL = "call:";

/**
 * The selection that the options name.
 *
 * @throws {UsageError} Where they name what is none.
 */
export function originSelectionOf(
  { origin, include = [] }: OptionValues<typeof ORIGIN_OPTIONS>,
): OriginSelection {
  const terms = origin?.flatMap(words);
  const calls = (terms ?? []).filter((term) => term.startsWith(CALL));
  const classes = terms === undefined
    ? CAUSED_BY_TESTS.classes
    : terms.filter((term) => !term.startsWith(CALL)).map((term) => classOf("--origin", term));
  const added = include.flatMap(words).map((term) => classOf("--include", term));
  return {
    classes: [...new Set([...classes, ...added])],
    calls: calls.map((term) => term.slice(CALL.length)),
    restricts: terms !== undefined,
  };
}

function words(text: string): string[] {
  return text.split(",").map((word) => word.trim());
}

function classOf(option: string, term: string): OriginClass {
  const found = ORIGIN_CLASSES.find((name) => name === term);
  if (found !== undefined) return found;
  const more = option === "--origin" ? ` or ${CALL}NAME` : "";
  throw new UsageError(
    `Unknown ${option} "${term}"${
      didYouMean(term, ORIGIN_CLASSES) || `: use ${ORIGIN_CLASSES.join(", ")}${more}`
    }`,
  );
}
