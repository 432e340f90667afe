import { preloadBeside, type Runner } from "../runner.ts";

const preload = preloadBeside(import.meta.url);

/** `deno test`. */
export const denoRunner: Runner = {
  name: "deno",
  testArgument: "test",
  preload,
  // The option takes a list: it must not take the word behind it.
  preloadArguments: [`--preload=${preload}`],
  reportArguments: (path) => [`--junit-path=${path}`],
  reportArgument: /^--(junit-path(=|$)|reporter=junit$)/,
  filterName: (name) => name.split(" > ")[0], // the outermost test or suite
  filterArguments: (pattern) => ["--filter", `/${pattern}/`],
};
