import {
  CAUSED_BY_TESTS,
  type OriginSelection,
  parseOrigins,
} from "../coverage/origin_selection.ts";
import { type OptionValues, UsageError } from "./command_line.ts";

/** Options that say which origins count. */
export const ORIGIN_OPTIONS = {
  origin: { type: "string", multiple: true },
  include: { type: "string", multiple: true },
} as const;

/** Help for {@linkcode ORIGIN_OPTIONS}. */
export const ORIGIN_HELP =
  `    --origin ORIGIN[,…]  count only this: own, what the tests' tasks ran; behalf, what the kernel did later or elsewhere
                    for them; runtime, what the runtime's own threads ran; faults, page faults by which code is loaded;
                    call:NAME, what a system call ran or led to, such as call:connect. By default own,behalf
    --include CLASS[,…]  count this too: runtime, faults
`;

/**
 * The selection that the options name.
 *
 * @throws {UsageError} Where they name what is none.
 */
export function originSelectionOf(
  { origin, include = [] }: OptionValues<typeof ORIGIN_OPTIONS>,
): OriginSelection {
  const { classes, calls } = origin === undefined ? CAUSED_BY_TESTS : originsOf("--origin", origin);
  const added = originsOf("--include", include);
  if (added.calls.length > 0) {
    throw new UsageError("--include takes classes only: name the call with --origin");
  }
  return {
    classes: [...new Set([...classes, ...added.classes])],
    calls,
    restricts: origin !== undefined,
  };
}

function originsOf(option: string, values: readonly string[]): ReturnType<typeof parseOrigins> {
  try {
    return parseOrigins(values.flatMap((text) => text.split(",")).map((name) => name.trim()));
  } catch (cause) {
    throw new UsageError(`${option}: ${(cause as Error).message}`, { cause });
  }
}
