import { KcovUnavailableError } from "../errors.ts";
import { nodeBuiltin } from "../sys/node_builtins.ts";
import { pathExists, tryReadText } from "../sys/files.ts";

const DEBUG = "/sys/kernel/debug";
const NTH = "/proc/thread-self/fail-nth";
/** What can fail: allocations of slabs and of pages, and copies from and to user space. */
const CAPABILITIES = ["failslab", "fail_page_alloc", "fail_usercopy"];

/**
 * Makes the calling thread's allocations fail, one at a time: the kernel's own fault injection
 * (Documentation/fault-injection/fault-injection.rst). Only those within one system call count, which the kernel tells by
 * its stack, so that nothing that the runtime does beside fails.
 */
export class FaultInjection implements Disposable {
  readonly #fd: number;
  readonly #folders: readonly string[];

  /**
   * Opens it for the calling thread, which has to make all calls.
   *
   * @throws {KcovUnavailableError} Where the kernel has no fault injection, or does not let it be used.
   */
  constructor() {
    this.#folders = CAPABILITIES.map((name) => `${DEBUG}/${name}`)
      .filter((folder) => pathExists(`${folder}/require-start`));
    if (this.#folders.length === 0 || !pathExists(NTH)) throw unavailable();
    try {
      for (const folder of this.#folders) prepare(folder);
      this.#fd = nodeBuiltin("node:fs").openSync(NTH, "w");
    } catch (cause) {
      throw new KcovUnavailableError(
        "not-permitted",
        "Cannot set up fault injection: run the tests as root",
        { cause },
      );
    }
  }

  /**
   * Only allocations within a system call count from here on.
   *
   * @param call Its name, such as `pipe2`.
   * @returns Whether the kernel has the call.
   */
  limitTo(call: string): boolean {
    const range = placeOfCall(call);
    if (range === undefined) return false;
    for (const folder of this.#folders) {
      // An empty range lets everything through while it is changed, so the end is moved first where that grows.
      write(`${folder}/require-end`, `0x${range.end.toString(16)}`);
      write(`${folder}/require-start`, `0x${range.start.toString(16)}`);
    }
    return true;
  }

  /** The `nth` allocation from here on fails, counted from 1. */
  arm(nth: number): void {
    nodeBuiltin("node:fs").writeSync(this.#fd, String(nth));
  }

  /** Nothing fails from here on. Returns whether the allocation that was to fail has. */
  disarm(reader: FaultReader): boolean {
    const left = reader.read();
    try {
      this.arm(0);
    } catch {
      // It was the one that failed.
      this.arm(0);
    }
    return left === 0;
  }

  [Symbol.dispose](): void {
    nodeBuiltin("node:fs").closeSync(this.#fd);
  }
}

/** Tells how many allocations are left until one fails. It is opened before, as opening allocates. */
export class FaultReader implements Disposable {
  readonly #fd = nodeBuiltin("node:fs").openSync(NTH, "r");

  /** Once. */
  read(): number {
    const bytes = new Uint8Array(16);
    try {
      const length = nodeBuiltin("node:fs").readSync(this.#fd, bytes);
      return Number.parseInt(new TextDecoder().decode(bytes.subarray(0, length)), 10);
    } catch {
      // That this could not be read was the failure.
      return 1;
    }
  }

  [Symbol.dispose](): void {
    nodeBuiltin("node:fs").closeSync(this.#fd);
  }
}

function prepare(folder: string): void {
  // A message with a stack for each failure is slow.
  write(`${folder}/verbose`, "0");
  write(`${folder}/probability`, "0");
  // Allocations that may wait are nearly all.
  if (pathExists(`${folder}/ignore-gfp-wait`)) write(`${folder}/ignore-gfp-wait`, "N");
  if (pathExists(`${folder}/min-order`)) write(`${folder}/min-order`, "0");
}

function write(path: string, text: string): void {
  nodeBuiltin("node:fs").writeFileSync(path, text);
}

/** Where the code of calls is, as far as it was asked for: reading all symbols takes long. */
const places = new Map<string, ReturnType<typeof codeOfCall>>();
let symbols: string | undefined;

function placeOfCall(call: string): ReturnType<typeof codeOfCall> {
  if (!places.has(call)) {
    symbols ??= tryReadText("/proc/kallsyms") ?? "";
    places.set(call, codeOfCall(symbols, call));
  }
  return places.get(call);
}

/** Functions that a call begins in, the outermost first. */
function namesOf(call: string): string[] {
  return [
    ...["x64", "arm64", "riscv", "s390x"].map((machine) => `__${machine}_sys_${call}`),
    ...["sys_", "__se_sys_"].map((prefix) => `${prefix}${call}`),
  ];
}

/** Where the code of a system call's first function is, by the text of `/proc/kallsyms`. */
export function codeOfCall(
  symbols: string,
  call: string,
): { readonly start: bigint; readonly end: bigint } | undefined {
  for (const name of namesOf(call)) {
    const match = new RegExp(`^([0-9a-f]+) [tTwW] ${name}$`, "m").exec(symbols);
    if (match === null) continue;
    const start = BigInt(`0x${match[1]}`);
    let end: bigint | undefined;
    for (const [, digits] of symbols.matchAll(/^([0-9a-f]+) [tTwW] /gm)) {
      const address = BigInt(`0x${digits}`);
      if (address > start && (end === undefined || address < end)) end = address;
    }
    if (start > 0n && end !== undefined) return { start, end };
  }
  return undefined;
}

function unavailable(): KcovUnavailableError {
  return new KcovUnavailableError(
    "not-built-in",
    "This kernel has no fault injection: build one that has it with kernelcov kernel build --faults, which " +
      "kernelcov test --fail-nth takes by itself",
  );
}
