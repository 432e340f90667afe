import { errnoName } from "./errno.ts";

/** The name of the errno behind an error of the runtime's, such as `ENOSPC`; `undefined` where there is none. */
export function errorCode(error: unknown): string | undefined {
  const { code, message } = (error ?? {}) as {
    readonly code?: unknown;
    readonly message?: unknown;
  };
  if (typeof code === "string" && /^E[A-Z0-9]+$/.test(code)) return code;
  // Deno gives a code to some only, and to all the number in the text.
  const errno = /\(os error (\d+)\)/.exec(String(message))?.[1];
  return errno === undefined ? undefined : errnoName(Number(errno));
}

/** What an error says, in one line: the name of its errno where it has one. */
export function errorReason(error: unknown): string {
  const code = errorCode(error);
  if (code !== undefined) return code;
  return error instanceof Error ? error.message : String(error);
}

/**
 * The error for a file that could not be used: `Cannot <action> <path>: <errno name>: <remedy>`.
 *
 * @param remedy what to change
 */
export function fileError(action: string, path: string, cause: unknown, remedy: string): TypeError {
  return new TypeError(`Cannot ${action} ${path}: ${errorReason(cause)}: ${remedy}`, { cause });
}
