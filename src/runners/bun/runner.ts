import { preloadBeside, type Runner } from "../runner.ts";

const preload = preloadBeside(import.meta.url);

/** `bun test`. */
export const bunRunner: Runner = {
  name: "bun",
  testArgument: "test",
  otherName: "bunx", // its `bun x`
  preload,
  preloadArguments: ["--preload", preload],
  supervisor: "bun", // starts in a third of Deno's time
  reportArguments: (path) => ["--reporter=junit", `--reporter-outfile=${path}`],
  reportArgument: /^--reporter(-outfile)?(=|$)/,
  filterName: (name) => name.split(" > ").join(" "),
  filterArguments: (pattern) => ["--test-name-pattern", pattern],
};
