import { environmentVariable, homeFolder } from "./runtime.ts";

/** `$XDG_CACHE_HOME/kernelcov`, or `~/.cache/kernelcov`; it need not exist. */
export function cacheFolderPath(): string {
  const configured = environmentVariable("XDG_CACHE_HOME");
  // The XDG Base Directory specification: a relative path is to be ignored.
  const cache = configured?.startsWith("/") ? configured : `${homeFolder()}/.cache`;
  return `${cache}/kernelcov`;
}
