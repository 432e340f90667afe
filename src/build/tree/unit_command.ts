/** How an object of a kernel is compiled, as kbuild noted it beside the object. */
export interface UnitCommand {
  /** For a shell, in the folder of the build. */
  readonly command: string;
  /** The same as kbuild has it in its file. */
  readonly saved: string;
  /** The C file. */
  readonly source: string;
  /** All files that the object depends on: the source and its headers. */
  readonly files: readonly string[];
}

/**
 * Reads a `.NAME.o.cmd` of kbuild.
 *
 * @returns `undefined` where the object is not compiled from one source by one command.
 */
export function parseUnitCommand(text: string): UnitCommand | undefined {
  const saved = /^(?:saved)?cmd_\S+ := (.*)$/m.exec(text)?.[1];
  const source = /^source_\S+ := (\S+)$/m.exec(text)?.[1];
  if (saved === undefined || source === undefined) return undefined;
  const list = /^deps_\S+ := \\\n((?:.*\\\n)*)/m.exec(text)?.[1] ?? "";
  const files = list.split("\n").map((line) => line.replace(/\\$/, "").trim())
    .filter((name) => name !== "" && !name.startsWith("$(") && !name.startsWith("/"));
  return {
    command: saved.replace(/\$\$|\$\(pound\)|\\#/g, (text) => text === "$$" ? "$" : "#"),
    saved,
    source,
    files: [source, ...files],
  };
}
