/** Options of a kernel's configuration: the line of each, such as `CONFIG_EXT4_FS=y` or `# CONFIG_NET is not set`, by name. */
export type KernelOptions = ReadonlyMap<string, string>;

/**
 * Reads a configuration or a part of one: `CONFIG_NAME=VALUE`, `# CONFIG_NAME is not set`, empty lines and comments.
 *
 * @param origin the file's name, for the error
 * @throws {TypeError} a line is something else; the message has its number.
 */
export function parseKernelOptions(text: string, origin: string): KernelOptions {
  const options = new Map<string, string>();
  for (const [i, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    const off = /^# (CONFIG_\w+) is not set$/.exec(line) ?? /^(CONFIG_\w+)=n$/.exec(line);
    if (off !== null) options.set(off[1], `# ${off[1]} is not set`);
    else if (line !== "" && !line.startsWith("#")) {
      const name = /^(CONFIG_\w+)=./.exec(line)?.[1];
      if (name === undefined) {
        throw new TypeError(
          `${origin}:${
            i + 1
          }: "${line}" is not an option: write CONFIG_NAME=y, or # CONFIG_NAME is not set`,
        );
      }
      options.set(name, line);
    }
  }
  return options;
}

/** A configuration's text with the options of `fragment` in place of its own. */
export function mergeKernelOptions(base: KernelOptions, fragment: KernelOptions): string {
  return [...new Map([...base, ...fragment]).values(), ""].join("\n");
}

/** The lines of `wanted` that a finished configuration does not have. */
export function droppedOptions(wanted: KernelOptions, made: KernelOptions): string[] {
  return [...wanted].filter(([name, line]) => {
    const is = made.get(name);
    // An option that is not available is not in the file, and so not set.
    return line.startsWith("#") ? is !== undefined && is !== line : is !== line;
  }).map(([, line]) => line);
}
