import { LIBC_FUNCTIONS } from "./libc_functions.ts";
import type { LibcFunctions } from "./types.ts";

type Call = (...values: unknown[]) => unknown;

/** Functions of libc that note errno. */
export interface NotingFunctions {
  readonly functions: LibcFunctions;
  /** What the last call of any of them left in errno. */
  errno(): number;
}

/**
 * The functions, each noting errno as soon as it returns. Until somebody asks, a runtime may do anything that sets errno
 * too: to compile a function or to make an object may collect garbage, and that closes descriptors.
 *
 * @param location The calling thread's errno.
 */
export function notingErrno(functions: LibcFunctions, location: Int32Array): NotingFunctions {
  let errno = 0;

  // Parameters written out, and no function called after the call: nothing runs between it and reading errno.
  function noting(call: Call, parameters: number): Call {
    switch (parameters) {
      case 0:
        return () => {
          const result = call();
          errno = location[0];
          return result;
        };
      case 1:
        return (a) => {
          const result = call(a);
          errno = location[0];
          return result;
        };
      case 2:
        return (a, b) => {
          const result = call(a, b);
          errno = location[0];
          return result;
        };
      case 3:
        return (a, b, c) => {
          const result = call(a, b, c);
          errno = location[0];
          return result;
        };
      case 4:
        return (a, b, c, d) => {
          const result = call(a, b, c, d);
          errno = location[0];
          return result;
        };
      case 5:
        return (a, b, c, d, e) => {
          const result = call(a, b, c, d, e);
          errno = location[0];
          return result;
        };
      case 6:
        return (a, b, c, d, e, f) => {
          const result = call(a, b, c, d, e, f);
          errno = location[0];
          return result;
        };
      default:
        return (a, b, c, d, e, f, g) => {
          const result = call(a, b, c, d, e, f, g);
          errno = location[0];
          return result;
        };
    }
  }

  const noted: Record<string, Call | null> = {};
  for (const [name, call] of Object.entries<unknown>(functions)) {
    const { parameters } = LIBC_FUNCTIONS[name as keyof LibcFunctions];
    noted[name] = call === null ? null : noting(call as Call, parameters.length);
  }
  return { functions: noted as unknown as LibcFunctions, errno: () => errno };
}
