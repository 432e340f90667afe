import { KcovUnavailableError } from "../errors.ts";
import { openWithBun } from "./bun.ts";
import { openWithDeno } from "./deno.ts";
import { isNotPermitted, machineName, runtimeName, systemName } from "./runtime.ts";
import { notingErrno } from "./noted_errno.ts";
import { type NumberedFunctions, numberedFunctions, systemCallNumber } from "./system_calls.ts";
import type { Libc, LibcFunctions, LibcPart, NativeLibrary } from "./types.ts";

/** Module state is per thread: each Worker and each file of `deno test` loads its own modules. */
let loaded: Libc | undefined;

/**
 * The C library of this process, opened on first use and kept for the thread.
 *
 * @throws {KcovUnavailableError} With reason `not-linux` elsewhere, or `no-libc` where it cannot be opened; the
 * runtime's own error is the cause.
 */
export function loadLibc(): Libc {
  loaded ??= openLibc();
  return loaded;
}

/** What {@linkcode libcOf} needs by itself. */
const ALWAYS = ["__errno_location", "syscall"] as const;
/** What a part of libc has by the numbers of system calls. */
const NUMBERED: Readonly<Record<keyof NumberedFunctions, true>> = {
  open: true,
  close: true,
  fstat: true,
  poll: true,
  mmap: true,
  munmap: true,
  madvise: true,
  getpid: true,
};

/**
 * Some functions of the C library: opening one takes a runtime up to a millisecond, which every thread that runs tests
 * would spend on those that it never calls. What is rarely called is one function, `syscall`.
 *
 * @throws {KcovUnavailableError} As {@linkcode loadLibc}.
 */
export function loadLibcPart<Name extends keyof LibcFunctions>(
  names: readonly Name[],
): LibcPart<Name> {
  return loaded ?? openLibc([...ALWAYS, ...names.filter((name) => !Object.hasOwn(NUMBERED, name))]);
}

function openLibc(names?: readonly (keyof LibcFunctions)[]): Libc {
  const system = systemName();
  if (system !== "linux") {
    throw new KcovUnavailableError(
      "not-linux",
      `Cannot call the kernel: this is ${system}: run the tests on Linux`,
    );
  }
  const runtime = runtimeName();
  if (runtime === "unknown") {
    throw new KcovUnavailableError(
      "no-libc",
      "Cannot call libc: this JavaScript runtime is not supported: run the tests with Deno or Bun",
    );
  }
  const open = runtime === "deno" ? openWithDeno : openWithBun;
  const causes: unknown[] = [];
  // glibc, then musl, which names it after the architecture.
  const libraries = ["libc.so.6", `libc.musl-${machineName()}.so.1`];
  for (const name of libraries) {
    try {
      return libcOf(open(name, names), names !== undefined);
    } catch (cause) {
      causes.push(cause);
      // Deno names this error; the permission is missing for every library name alike.
      if (isNotPermitted(cause)) {
        throw new KcovUnavailableError(
          "no-libc",
          "Cannot open libc: the permission to call it is missing: run deno with --allow-ffi",
          { cause },
        );
      }
    }
  }
  throw new KcovUnavailableError(
    "no-libc",
    `Cannot open libc (tried ${libraries.join(", ")}): install glibc or musl for this runtime`,
    { cause: causes[0] },
  );
}

/**
 * Completes what the runtime opened with what both share.
 *
 * @param isPart Not all functions were opened.
 */
function libcOf({ functions, addressOf, view }: NativeLibrary, isPart: boolean): Libc {
  // errno is thread-local, so its address is taken by the thread that loads.
  const location = new Int32Array(view(functions.__errno_location(), 4));
  const noting = notingErrno(functions, location);
  const number = systemCallNumber("gettid");
  function threadId(): number {
    return functions.gettid?.() ?? Number(functions.syscall(number, 0n, 0n, 0n, 0n, 0n, 0n));
  }
  return {
    ...(isPart ? numberedFunctions(noting.functions.syscall, { addressOf }) : {}),
    ...noting.functions,
    addressOf,
    view,
    errno: noting.errno,
    threadId,
  };
}
